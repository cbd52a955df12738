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
  if (asked) {
    const known = new Set(containers.map(({ name }) => name));
    if (asked.includes('*')) return { names: known, unknown: [] };
    return { names: new Set(asked), unknown: asked.filter((name) => !known.has(name)) };
  }
  const chosen =
    containers.find(({ init, name }) => !init && name === defaultContainer) ??
    containers.find(({ init }) => !init);
  return { names: new Set(chosen ? [chosen.name] : []), unknown: [] };
}
