"""Words that tell what speaks for and against two contents being the same claim."""

from __future__ import annotations

from typing import Final

SMALL_WORDS: Final = frozenset(
    (
        "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "with", "from", "as", "into", "over", "about",
        "that", "this", "these", "those", "it", "its", "it's", "he", "she", "they", "we", "i", "you", "him", "her",
        "them", "us", "me", "my", "his", "their", "our", "your", "who", "whom", "which", "what", "is", "are", "was",
        "were", "be", "been", "being", "am", "do", "does", "did", "have", "has", "had", "and", "or", "but", "if", "so",
        "than", "then", "there", "here", "when", "while", "because", "since", "just", "also", "very", "more", "most",
        "such", "own", "some", "any", "all", "said", "says", "s",
    )
)  # fmt: skip
"""They tie other words together and mean little by themselves."""

NEGATIONS: Final = frozenset(
    (
        "not", "no", "never", "nor", "neither", "none", "nobody", "nothing", "nowhere", "without", "cannot", "hardly",
        "barely", "lack", "lacks", "lacking", "lacked", "fail", "fails", "failed", "failing", "failure", "refuse",
        "refuses", "refused", "refusing", "refusal", "deny", "denies", "denied", "denying", "unable", "unlikely",
        "isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "wouldn't", "can't", "couldn't",
        "shouldn't", "hasn't", "haven't", "hadn't", "ain't", "against", "oppose", "opposes", "opposed", "opposing",
        "reject", "rejects", "rejected", "rejecting", "stop", "stops", "stopped", "end", "ends", "avoid", "avoids",
        "avoided", "avoiding",
    )
)  # fmt: skip
"""They turn what is said round."""

MODALS: Final = {
    word: kind
    for kind, words in {
        "will": (
            "will", "shall", "going", "won't", "plan", "plans", "vow", "vows", "vowed", "promise",
            "promised"
        ),
        "would": ("would", "wouldn't"),
        "may": ("may", "might", "could", "can", "possible", "possibly", "perhaps", "likely", "probably"),
        "should": ("should", "must", "ought", "need", "needs"),
        "if": ("if", "whether"),
    }.items()
    for word in words
}  # fmt: skip
"""How sure or wanted it is that something happens."""

QUANTIFIERS: Final = {
    word: kind
    for kind, words in {
        "all": ("all", "every", "everyone", "everybody", "always", "entire"),
        "most": ("most", "majority", "almost", "nearly"),
        "many": ("many", "much", "often"),
        "some": ("several", "some", "sometimes", "occasionally", "partial", "temporary", "temporarily"),
        "few": ("few", "rarely"),
        "only": ("only",),
        "half": ("half",),
        "third": ("third",),
        "quarter": ("quarter",),
    }.items()
    for word in words
}  # fmt: skip
"""Of how many something is said."""

TIMES: Final = frozenset(
    (
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
        "april", "may", "june", "july", "august", "september", "october", "november", "december", "today", "yesterday",
        "tomorrow", "tonight", "spring", "summer", "autumn", "winter",
    )
)  # fmt: skip
"""Names of times."""

PRONOUNS: Final = {
    word: kind
    for kind, words in {
        "he": ("he", "his", "him", "himself"),
        "she": ("she", "her", "hers", "herself"),
        "they": ("they", "their", "them"),
        "we": ("we", "our", "us"),
        "i": ("i", "my"),
        "it": ("it", "its"),
        "who": ("who", "that", "which", "whose"),
        "you": ("you",),
    }.items()
    for word in words
}  # fmt: skip
"""Which pronouns may stand for the same one."""

HE: Final = frozenset(
    (
        "mr", "sir", "lord", "king", "prince", "father", "businessman", "spokesman", "chairman",
    )
)  # fmt: skip
"""Words beside a man's name."""

SHE: Final = frozenset(
    (
        "mrs", "ms", "miss", "lady", "queen", "princess", "mother", "spokeswoman", "businesswoman",
    )
)  # fmt: skip
"""Words beside a woman's name."""

MANY: Final = frozenset(
    (
        "poll", "polls", "voters", "survey", "percent", "majority", "half", "quarter", "third", "quarters", "thirds",
        "republicans", "democrats", "supporters", "critics", "opponents", "experts", "officials", "residents", "many",
        "most", "some", "several", "people", "groups", "analysts", "lawmakers", "americans",
    )
)  # fmt: skip
"""Sources that are no single one."""

MEASURES: Final = frozenset(
    (
        "poll", "polls", "survey", "average", "study", "report", "ad", "analysis", "estimates", "count",
    )
)  # fmt: skip
"""Sources that report numbers."""

NUMBERS: Final = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "dozen": 12,
}  # fmt: skip

SCALES: Final = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "m": 1e6,
    "bn": 1e9,
}

OPPOSITES: Final = (
    (
        frozenset((
            "rise", "rises", "rose", "rising", "increase", "increases", "increased", "raise", "raises",
            "raised", "grow", "grows", "grew", "up", "higher", "more", "gain",
        )),
        frozenset((
            "fall", "falls", "fell", "falling", "decrease", "decreases", "decreased", "cut", "cuts", "lower",
            "lowers", "lowered", "drop", "drops", "dropped", "down", "less", "reduce", "reduces", "reduced",
            "reducing", "shrink", "decline", "declined", "loss",
        )),
    ),
    (
        frozenset(("win", "wins", "won", "winning", "victory", "beat", "beats", "lead", "leads", "leading")),
        frozenset(("lose", "loses", "lost", "losing", "defeat", "trail", "trails", "trailing")),
    ),
    (
        frozenset((
            "support", "supports", "supported", "back", "backs", "backed", "favor", "favors", "favour",
            "approve", "approves", "praise", "praised",
        )),
        frozenset((
            "oppose", "opposes", "opposed", "against", "reject", "rejects", "rejected", "condemn", "condemned",
            "criticize", "criticized",
        )),
    ),
    (
        frozenset(("help", "helps", "helped")),
        frozenset(("hurt", "hurts", "harm", "harms", "damage", "damages", "damaging")),
    ),
    (
        frozenset(("open", "opens", "opened", "reopen", "reopened")),
        frozenset(("close", "closes", "closed", "shut")),
    ),
    (
        frozenset(("begin", "begins", "began", "start", "starts", "started")),
        frozenset(("end", "ends", "ended", "finish", "stop", "stops", "stopped")),
    ),
    (
        frozenset(("accept", "accepts", "accepted", "allow", "allows", "allowed", "allowing")),
        frozenset((
            "refuse", "refused", "ban", "bans", "banned", "banning", "block", "blocked", "blocking", "barred",
        )),
    ),
    (
        frozenset(("good", "great", "best", "better", "strong", "safe")),
        frozenset(("bad", "terrible", "worst", "worse", "weak", "dangerous")),
    ),
    (
        frozenset(("guilty",)),
        frozenset(("innocent",)),
    ),
    (
        frozenset(("true",)),
        frozenset(("false",)),
    ),
    (
        frozenset(("before",)),
        frozenset(("after",)),
    ),
    (
        frozenset(("buy", "bought")),
        frozenset(("sell", "sold")),
    ),
    (
        frozenset(("join", "joined")),
        frozenset(("leave", "left", "quit")),
    ),
    (
        frozenset(("first",)),
        frozenset(("last",)),
    ),
    (
        frozenset(("rich", "wealthy")),
        frozenset(("poor",)),
    ),
    (
        frozenset(("old",)),
        frozenset(("new",)),
    ),
    (
        frozenset(("he", "him", "his", "himself", "man", "men", "boy")),
        frozenset(("she", "her", "hers", "herself", "woman", "women", "girl")),
    ),
    (
        frozenset(("east", "eastern")),
        frozenset(("west", "western")),
    ),
    (
        frozenset(("north", "northern")),
        frozenset(("south", "southern")),
    ),
    (
        frozenset(("democrat", "democrats", "democratic")),
        frozenset(("republican", "republicans", "gop")),
    ),
)  # fmt: skip
"""Words of which one side has some and the other has their opposites."""
