// whosaid's offsets count Unicode code points; JavaScript's strings count UTF-16 units, of which
// an emoji has two. Copy this file: it needs nothing else.

/** A place in a text, as whosaid gives it: half-open, in code points. */
export interface Span {
  start: number;
  end: number;
}

/** Turns the offsets of one text into JavaScript's; make one for each text. */
export class Offsets {
  readonly #text: string;
  /** The UTF-16 offset of each code point, and of the end. */
  readonly #units: number[] = [];

  constructor(text: string) {
    this.#text = text;
    let unit = 0;
    for (const character of text) {
      this.#units.push(unit);
      unit += character.length;
    }
    this.#units.push(unit);
  }

  /** A span in UTF-16 units, for `slice`, DOM ranges and editors. */
  units(span: Span): Span {
    const start = this.#units[span.start];
    const end = this.#units[span.end];
    if (start === undefined || end === undefined || start > end) {
      throw new RangeError(`no such span in this text: ${span.start} to ${span.end}`);
    }
    return { start, end };
  }

  /** The text of a span. */
  slice(span: Span): string {
    const { start, end } = this.units(span);
    return this.#text.slice(start, end);
  }

  /** A span in code points from one in UTF-16 units, such as a selection; an end within a character takes all of it. */
  points(span: Span): Span {
    return { start: this.#point(span.start, false), end: this.#point(span.end, true) };
  }

  #point(unit: number, up: boolean): number {
    let low = 0;
    let high = this.#units.length - 1;
    while (low < high) {
      const middle = (low + high + (up ? 0 : 1)) >> 1;
      const at = this.#units[middle] as number;
      if (up ? at < unit : at > unit) {
        if (up) low = middle + 1;
        else high = middle - 1;
      } else if (up) high = middle;
      else low = middle;
    }
    return low;
  }
}
