/** Lines as a unified diff shows them: ` ` on both sides, `-` before only, `+` after only. */
export interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** A shortest way from one text to another, line by line (longest common subsequence). */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  const same = (text: string): DiffLine => ({ sign: ' ', text });
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  // lengths[i][j]: of the longest common subsequence of before[i..] and after[j..]
  const lengths = before.map(() => new Uint32Array(after.length + 1));
  lengths.push(new Uint32Array(after.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = lengths[i];
    if (!row) continue;
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]];
    if (old !== undefined && old === now) {
      lines.push({ sign: ' ', text: old });
      i++;
      j++;
    } else if (old !== undefined && (now === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: old });
      i++;
    } else if (now !== undefined) {
      lines.push({ sign: '+', text: now });
      j++;
    }
  }
  return lines;
}

const CONTEXT = 3;

/** Only what changed, with three lines around it; where lines are left out there is a line `...`. */
export function inContext(lines: readonly DiffLine[]): readonly DiffLine[] {
  const changes = lines.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]));
  const near = new Set(
    changes.flatMap((index) =>
      Array.from({ length: 2 * CONTEXT + 1 }, (_, offset) => index - CONTEXT + offset),
    ),
  );
  return lines.flatMap((line, index) => {
    if (near.has(index)) return [line];
    const begins = index === 0 || near.has(index - 1);
    return begins ? [{ sign: ' ' as const, text: '...' }] : [];
  });
}
