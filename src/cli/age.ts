const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Below `until`, an age is shown in `unit`, and in what is left in `rest` where that still says something. */
interface Step {
  readonly until: number;
  readonly unit: number;
  readonly letter: string;
  readonly rest?: { readonly unit: number; readonly letter: string };
}

/** As kubectl prints it: `HumanDuration` in k8s.io/apimachinery/pkg/util/duration. */
const STEPS: readonly Step[] = [
  { until: 2 * MINUTE, unit: SECOND, letter: 's' },
  { until: 10 * MINUTE, unit: MINUTE, letter: 'm', rest: { unit: SECOND, letter: 's' } },
  { until: 3 * HOUR, unit: MINUTE, letter: 'm' },
  { until: 8 * HOUR, unit: HOUR, letter: 'h', rest: { unit: MINUTE, letter: 'm' } },
  { until: 2 * DAY, unit: HOUR, letter: 'h' },
  { until: 8 * DAY, unit: DAY, letter: 'd', rest: { unit: HOUR, letter: 'h' } },
  { until: 2 * YEAR, unit: DAY, letter: 'd' },
  { until: 8 * YEAR, unit: YEAR, letter: 'y', rest: { unit: DAY, letter: 'd' } },
  { until: Infinity, unit: YEAR, letter: 'y' },
];

/** How long ago an RFC 3339 time was, as kubectl prints ages: `45s`, `3m10s`, `5h`, `2d3h`. */
export function age(created: string, now: Date): string {
  const elapsed = now.getTime() - Date.parse(created);
  if (Number.isNaN(elapsed)) return '<unknown>';
  const step = STEPS.find(({ until }) => elapsed < until);
  if (step === undefined || elapsed < 0) return '0s';
  const whole = `${Math.floor(elapsed / step.unit)}${step.letter}`;
  const left = step.rest === undefined ? 0 : Math.floor((elapsed % step.unit) / step.rest.unit);
  return step.rest === undefined || left === 0 ? whole : `${whole}${left}${step.rest.letter}`;
}
