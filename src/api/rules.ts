import type * as z from 'zod';

/**
 * A rule that a JSON schema can't say, written once for both places that check it: as CEL in the CRD (API
 * servers from 1.25 on) and as code in the controller (an older server drops the CEL).
 *
 * An API server refuses a whole CRD if it estimates one expression at more than 10 million units (list bounds
 * multiply, a string counts 4 bytes a character). A rule that can't stay far below that has no `cel`.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints
 */
export interface Rule<T> {
  readonly cel?: string;
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

/** Attaches rules to a schema: zod checks `holds`, the generated CRD carries `cel`. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let checked = schema;
  for (const { holds, message } of rules) {
    checked = checked.refine(holds, { message });
  }
  return checked.meta({
    ...schema.meta(),
    'x-kubernetes-validations': rules.flatMap(({ cel, message }) => (cel ? [{ rule: cel, message }] : [])),
  });
}

export const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
