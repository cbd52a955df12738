import type { WorkloadRef } from '../api/model-deployment.ts';
import type { LiveWorkload } from './snapshot.ts';

export interface ChosenContainers {
  readonly names: ReadonlySet<string>;
  readonly unknown: readonly string[];
}

/** The containers that get the secrets: `containers` of the spec, "*" for all, init containers too; else the default container, else the first. */
export function chooseContainers(
  { containers: asked }: WorkloadRef,
  { containers, defaultContainer }: LiveWorkload,
): ChosenContainers {
  const known = new Set(containers.map(({ name }) => name));
  if (asked?.includes('*')) return { names: known, unknown: [] };
  if (asked) return { names: new Set(asked), unknown: asked.filter((name) => !known.has(name)) };
  const ordinary = containers.filter(({ init }) => !init);
  const chosen = ordinary.find(({ name }) => name === defaultContainer) ?? ordinary[0];
  return { names: new Set(chosen ? [chosen.name] : []), unknown: [] };
}
