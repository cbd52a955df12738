import * as z from 'zod';
import { ENV_NAME, MAX_DECLARED, objectName, WORKLOAD_KINDS } from './model-deployment.ts';

/**
 * The ModelTrust resource (DESIGN.md section 5.2): what a second person approves for the ModelDeployment of the same
 * name and namespace. The CRD is generated from these schemas.
 */

/** In `spec.modelUid`: every model of the name, also one that is made later. */
export const ANY_MODEL = '*';

const secrets = z
  .array(z.string().min(1).max(512))
  .max(MAX_DECLARED)
  .default([])
  .describe(
    'Names from which a value may be copied: the names that config.yaml declares or, where spec.overrides[].from of the model takes the value from another key, that key. Names of pull secrets too.',
  )
  .meta({ 'x-kubernetes-list-type': 'set' });

const workload = z.object({
  kind: z.enum(WORKLOAD_KINDS).describe('Kind of the workload.'),
  name: objectName().describe('Name of the workload, in the namespace of the model.'),
});

const workloads = z
  .array(workload)
  .max(16)
  .default([])
  .describe('The workloads whose pods may get the secrets.')
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['kind', 'name'] });

const env = z
  .array(z.string().min(1).max(128).regex(ENV_NAME))
  .max(MAX_DECLARED)
  .default([])
  .describe(
    'Plain environment variable names (spec.overrides[].env of the model) that may be set. Names with the prefix TRUSS_SECRET_ need no entry: they come with the secret.',
  )
  .meta({ 'x-kubernetes-list-type': 'set' });

const modelUid = z
  .string()
  .min(1)
  .max(64)
  .regex(/^(\*|[-a-zA-Z0-9]+)$/)
  .optional()
  .describe(
    'UID of the ModelDeployment that is approved. "*": every ModelDeployment of the name, also one that is made later. Default: the first one that the operator finds, which it notes in status.modelUid.',
  );

export const modelTrustSpec = z
  .object({ secrets, workloads, env, modelUid })
  .describe('What is approved: the model gets only what it asks for and what is listed here.');

export const modelTrustStatus = z
  .object({
    modelUid: z
      .string()
      .max(64)
      .optional()
      .describe(
        'UID of the ModelDeployment that the approval is for, unless spec.modelUid says it. A later ModelDeployment of the same name gets nothing by it.',
      ),
  })
  .describe('Which model the approval is for.');

export type ModelTrustSpec = z.output<typeof modelTrustSpec>;
