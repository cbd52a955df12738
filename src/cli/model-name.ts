import { UsageError } from './errors.ts';

/** The one argument of commands about a model. @throws UsageError */
export function modelName([name]: readonly string[]): string {
  if (name === undefined || name === '')
    throw new UsageError('no model given: MODEL, the name of a ModelDeployment');
  return name;
}
