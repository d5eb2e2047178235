"""Archives: taken in whole, read chunk by chunk by workers, results in the order in which they are ready.

The database is the truth.  ``intake`` cuts an archive into chunks, ``engine`` sends messages that name them,
``reading`` reads one, ``chunks`` says who may, ``upkeep`` finds what got lost on the way.
"""
