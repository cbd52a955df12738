/** The links between a name in config.yaml and a file in a pod, in their order. */
export const STEPS = [
  'declared',
  'name',
  'trusted',
  'approved',
  'purpose',
  'store',
  'key',
  'value',
  'written',
  'injected',
  'pods',
] as const;
export type Step = (typeof STEPS)[number];

/** One fact about a secret, with the command that checks it and, if it does not hold, the one that mends it. */
export interface Link {
  readonly step: Step;
  /** `skipped`: an earlier one does not hold. */
  readonly holds: 'yes' | 'no' | 'unknown' | 'skipped';
  readonly fact: string;
  readonly check: string | null;
  readonly fix: string | null;
}

export interface Commands {
  readonly check?: string;
  readonly fix?: string;
}

const link =
  (holds: Link['holds']) =>
  (step: Step, fact: string, { check, fix }: Commands = {}): Link => ({
    step,
    holds,
    fact,
    check: check ?? null,
    fix: fix ?? null,
  });

export const yes = link('yes');
export const no = link('no');
export const unknown = link('unknown');

/** The links of all steps, up to the first that does not hold. */
export function chained(stepOf: (step: Step) => readonly Link[]): readonly Link[] {
  const links: Link[] = [];
  for (const step of STEPS) {
    const broken = links.some(({ holds }) => holds === 'no');
    if (broken) links.push({ step, holds: 'skipped', fact: '', check: null, fix: null });
    else links.push(...stepOf(step));
  }
  return links;
}

export const firstBroken = (links: readonly Link[]): Link | undefined =>
  links.find(({ holds }) => holds === 'no');
