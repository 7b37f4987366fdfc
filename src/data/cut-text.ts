/** @file A long text cut into pieces of at most so many tokens, at the most natural places that there are. */

/** Where a text may be cut, the best first: blank lines, line ends, sentence ends, blanks, anywhere. */
const places: readonly RegExp[] = [
  /(?=\n[ \t]*\n)(?<!\n[ \t]*)/,
  /(?=\n)/,
  /(?<=[.!?]["')\]]*)(?=\s)/,
  /(?=\s)(?<!\s)/,
  /(?<=\P{Surrogate}|\p{Surrogate}{2})/u,
];

/**
 * Pieces in order, each of whole units (paragraphs, else lines, sentences, words, characters) as many as fit; white
 * space at a cut goes away, nothing else. Units are counted one by one, so where tokens could join over a unit's
 * border a piece may have fewer tokens than fit, never more.
 * @param count tokens of a text
 * @param most of a piece, at least 1
 */
export function cutText(text: string, count: (text: string) => number, most: number, from = 0): string[] {
  const place = places[from];
  if (place === undefined) return [text];
  const pieces: string[] = [];
  let piece = "";
  let length = 0;
  const close = () => {
    if (piece.trim() !== "") pieces.push(piece.trim());
    [piece, length] = ["", 0];
  };
  for (const unit of text.split(place)) {
    let own = piece === "" ? unit.trimStart() : unit;
    let tokens = count(own);
    if (piece !== "" && length + tokens > most) {
      close();
      own = unit.trimStart();
      tokens = count(own);
    }
    if (tokens > most) {
      // A long unit's last part goes on with the next units, as any other.
      const parts = cutText(own, count, most, from + 1);
      piece = parts.pop() ?? "";
      length = count(piece);
      pieces.push(...parts);
      continue;
    }
    piece += own;
    length += tokens;
  }
  close();
  return pieces;
}

/**
 * Ids cut into windows of at most `most`, each beginning with the last token of the one before, so that every token
 * but the first is predicted once.
 */
export function cutIds(ids: readonly number[], most: number): number[][] {
  const windows: number[][] = [];
  const step = Math.max(1, most - 1);
  for (let start = 0; start === 0 || start + 1 < ids.length; start += step)
    windows.push(ids.slice(start, start + most));
  return windows;
}
