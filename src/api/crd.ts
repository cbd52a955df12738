import * as z from 'zod';
import { modelDeploymentSpec, modelDeploymentStatus } from './model-deployment.ts';
import { modelTrustSpec, modelTrustStatus } from './model-trust.ts';
import { GROUP, VERSION } from './names.ts';

type Json = { readonly [key: string]: unknown };

interface CrdNames {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
}

/** Fields that JSON Schema allows and a structural schema does not. */
const DROPPED = new Set(['additionalProperties', '$schema', 'id']);

/**
 * Turns what zod generates into a structural schema.
 *
 * zod writes the bounds of a safe integer into every integer; `format` says it better. Everything else that a
 * structural schema forbids (unions, references) makes the generation fail, so that a CRD is never half right.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
function structural(schema: unknown, path: string): unknown {
  if (Array.isArray(schema)) return schema.map((item, index) => structural(item, `${path}[${index}]`));
  if (typeof schema !== 'object' || schema === null) return schema;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (DROPPED.has(key)) continue;
    if (key === '$ref' || key === 'oneOf' || key === 'anyOf' || key === 'allOf') {
      throw new Error(`${path}: a structural schema has no ${key}`);
    }
    if (value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER) continue;
    if (key === 'x-kubernetes-validations' && Array.isArray(value) && value.length === 0) continue;
    result[key] = key === 'default' ? value : structural(value, `${path}.${key}`);
  }
  return result;
}

const schemaOf = (schema: z.ZodType, path: string): unknown =>
  structural(
    z.toJSONSchema(schema, {
      target: 'openapi-3.0',
      io: 'input',
      unrepresentable: 'throw',
      cycles: 'throw',
      reused: 'inline',
    }),
    path,
  );

function crd(
  names: CrdNames,
  openAPIV3Schema: Json,
  additionalPrinterColumns: readonly Json[],
  subresources?: Json,
): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { ...names, listKind: `${names.kind}List`, categories: ['truss'] },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          ...(subresources ? { subresources } : {}),
          additionalPrinterColumns,
          schema: { openAPIV3Schema },
        },
      ],
    },
  };
}

const conditionColumn = (name: string, type: string, field: 'status' | 'reason'): Json => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].${field}`,
});

const AGE: Json = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The CustomResourceDefinition of ModelDeployment; `npm run generate` writes it to `crds/`. */
export const modelDeploymentCrd = (): Json =>
  crd(
    {
      kind: 'ModelDeployment',
      plural: 'modeldeployments',
      singular: 'modeldeployment',
      shortNames: ['mdep'],
    },
    {
      type: 'object',
      description:
        'A ModelDeployment brings the secrets that a Truss model declares in its config.yaml to workloads that exist; it does not create pods. It reads the declared names, finds the values in Secrets that are labelled as a store, writes exactly those into one Secret, and puts that onto the pods of the workloads, as files in /secrets or as environment variables with the prefix TRUSS_SECRET_.',
      required: ['spec'],
      properties: {
        apiVersion: { type: 'string', description: 'Version of the API: truss-secrets.dev/v1alpha1.' },
        kind: { type: 'string', description: 'ModelDeployment.' },
        metadata: { type: 'object' },
        spec: schemaOf(modelDeploymentSpec, 'spec'),
        status: schemaOf(modelDeploymentStatus, 'status'),
      },
    },
    [
      conditionColumn('Trusted', 'Trusted', 'status'),
      { name: 'Secrets', type: 'string', jsonPath: '.status.summary' },
      { name: 'Delivery', type: 'string', jsonPath: '.spec.delivery' },
      conditionColumn('Ready', 'Ready', 'status'),
      conditionColumn('Reason', 'Ready', 'reason'),
      AGE,
    ],
    { status: {} },
  );

/** The CustomResourceDefinition of ModelTrust. */
export const modelTrustCrd = (): Json =>
  crd(
    { kind: 'ModelTrust', plural: 'modeltrusts', singular: 'modeltrust', shortNames: ['mtrust'] },
    {
      type: 'object',
      description:
        'A ModelTrust approves what the ModelDeployment of the same name and namespace may have, where the operator runs with --require-approval: the model gets only what it asks for and what is listed here. Whoever may create ModelTrusts is the second person whose decision it takes. Deleting it takes everything away again.',
      required: ['spec'],
      properties: {
        apiVersion: { type: 'string', description: 'Version of the API: truss-secrets.dev/v1alpha1.' },
        kind: { type: 'string', description: 'ModelTrust.' },
        metadata: { type: 'object' },
        spec: schemaOf(modelTrustSpec, 'spec'),
        status: schemaOf(modelTrustStatus, 'status'),
      },
    },
    [
      { name: 'Secrets', type: 'string', jsonPath: '.spec.secrets' },
      { name: 'Env', type: 'string', jsonPath: '.spec.env', priority: 1 },
      { name: 'For', type: 'string', jsonPath: '.spec.modelUid', priority: 1 },
      { name: 'Bound', type: 'string', jsonPath: '.status.modelUid', priority: 1 },
      AGE,
    ],
    { status: {} },
  );
