import { MOUNT_PATH, PULL_SECRET_TYPE, SHARE_WITH_ANNOTATION, STORE_LABEL, VOLUME_NAME } from './names.ts';

/**
 * Everything that a user reads in conditions, status and events. Each message says what is the matter and what
 * to do about it. Reasons are the keys of {@link REASONS}; `docs/status.md` has the same table.
 */

/** Reasons of conditions and events, with what each one means. */
export const REASONS = {
  Ready: 'Every declared secret is delivered, or allowed not to be, and every workload has them.',
  Valid: 'config.yaml could be read.',
  SpecInvalid: 'The spec breaks a rule that the API server did not enforce.',
  ConfigMapMissing: 'The ConfigMap of spec.config.configMapRef does not exist.',
  ConfigKeyMissing: 'The ConfigMap of spec.config.configMapRef lacks the key.',
  ConfigMalformed: 'config.yaml is not a YAML document that Truss could use.',
  TooMany:
    'config.yaml declares more secrets than one model, or one pod template, may have; or its name is too long.',
  Trusted: 'spec.trusted is true.',
  Untrusted: 'spec.trusted is false: the workloads run, with no secret.',
  AwaitingApproval: 'No ModelTrust approves all that the model asks for; what is approved is delivered.',
  ApprovalUnreadable: 'ModelTrusts cannot be read, so that it is not known what is approved.',
  Resolved: 'Every declared secret has a value, or is allowed to have none.',
  SecretsMissing: 'Some declared secrets have no usable value.',
  StoreUnreadable: 'A store cannot be read, so that it is not known what is missing.',
  Written: 'The delivered Secret holds exactly the values that were found.',
  NothingDeclared: 'config.yaml declares no secret.',
  TooLarge: 'The values together are larger than one Secret may be.',
  Conflict: 'Something of that name exists that belongs to somebody else.',
  WriteFailed: 'The API server refused or did not answer a write; it is tried again.',
  Reverted: 'Somebody keeps undoing what is written, so that it is written once in 10 minutes only.',
  NotAuthorized:
    'The operator lacks a right in this namespace, or a quota or an admission policy is in its way.',
  Injected: 'Every workload has the secrets in its pod template.',
  NoWorkloads: 'The spec names no workload.',
  NotInjected: 'Some workloads do not have the secrets.',
  WorkloadMissing: 'A workload does not exist yet.',
  Progressing: 'It becomes Ready by itself as soon as what it waits for is there.',
  TrailingNewline: 'A value ends in a newline, which Truss does not strip.',
  ShareWithMalformed: 'An entry of the share-with annotation cannot be read and is ignored.',
} as const;
export type Reason = keyof typeof REASONS;

export const isReason = (text: string): text is Reason => Object.hasOwn(REASONS, text);

/** Longest text that goes into one message of status.secrets and status.workloads. */
const MAX_MESSAGE = 1024;

/** Cuts a text that a user's object may have made long, on a code point. */
export const bounded = (text: string, limit = MAX_MESSAGE): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

/** Cuts a text to so many bytes of UTF-8, on a code point. */
export function boundedBytes(text: string, limit: number): string {
  // a UTF-16 unit has three bytes at most
  if (text.length * 3 <= limit) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return text;
  return `${new TextDecoder().decode(bytes.subarray(0, limit - 3), { stream: true })}…`;
}

/** Nearly every name: what follows is much slower, and each name is shown for each look at a model. */
const ALL_ASCII = /^[ -~]*$/;

/** A declared name as it may be shown: without characters that steer a terminal or hide, and at most 253 characters long. */
export const shownName = (name: string): string =>
  bounded(ALL_ASCII.test(name) ? name : name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd'), 253);

/** `a, b, c and 4 more`. */
export function listed(items: readonly string[], most = 5): string {
  const shown = items.slice(0, most).join(', ');
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}

export interface StoreShown {
  readonly name: string;
  readonly namespace: string;
  /** The namespace is not the model's, so that only shared Secrets count. */
  readonly foreign: boolean;
}

const storeShown = (store: StoreShown, model: string): string =>
  `labelled ${STORE_LABEL}=${store.name} in namespace ${store.namespace}${
    store.foreign ? ` and shared by ${SHARE_WITH_ANNOTATION} with ${model}` : ''
  }`;

const trustCommand = (namespace: string, name: string): string =>
  `kubectl truss-secrets trust ${name} -n ${namespace}`;

export const messages = {
  /** `key`: the one of an override; undefined when it is the declared name. */
  missing: (
    key: string | undefined,
    stores: readonly StoreShown[],
    model: string,
    environment: string | undefined,
    closest: readonly string[],
  ) =>
    `no Secret ${stores.map((store) => storeShown(store, model)).join(', or ')} has ${key === undefined ? 'this key' : `the key ${shownName(key)}`}${
      environment ? ` (for environment ${environment}, or without one)` : ''
    }${closest.length > 0 ? `; closest: ${listed(closest.map(shownName), 3)}` : ''}`,
  storeForbidden: (name: string, namespace: string) =>
    `store ${name} in namespace ${namespace} (the operator may not list Secrets there: give it the Role of deploy/rbac)`,
  storeUnread: (name: string, namespace: string) =>
    `store ${name} in namespace ${namespace} (not read yet, or not among the operator's --namespaces)`,
  unreadable: (store: string) =>
    `the store ${store} cannot be read at the moment, so nothing is added, and what came from there stays`,
  ambiguous: (key: string, first: string, second: string) =>
    `both ${first} and ${second} have the key ${shownName(key)}; remove it from one of them, or name another store in spec.overrides`,
  empty: (source: string) =>
    `the value in ${source} is empty, and an empty file would hide a default; set a value, or remove the key`,
  notText: (source: string) =>
    `the value in ${source} cannot be an environment variable (not UTF-8, a NUL, or over 128 KiB); use delivery: Mount`,
  usingDefault: 'no value is stored, so the model uses the default of its config.yaml',
  buildOnly: 'used by build.secret_to_path_mapping only; builds get it, pods do not',
  weights: 'used to fetch weights before the container starts; not delivered to pods',
  registryName:
    'what follows DOCKER_REGISTRY_ must be a registry, such as ghcr.io, and the whole at most 253 characters',
  pullWithoutRegistry:
    'base_image.docker_auth.registry is empty; name the registry that the image is pulled from',
  pullAwsIam:
    'auth_method AWS_IAM needs a new token for ECR every 12 hours, which is not fetched; use auth_method REGISTRY_SECRET, or let the nodes pull (instance role, ECR credential provider) and drop docker_auth',
  pullMethod: (method: string) =>
    `auth_method ${method} is not known; use REGISTRY_SECRET or GCP_SERVICE_ACCOUNT_JSON`,
  pullMalformed: (source: string, method: string) =>
    method === 'GCP_SERVICE_ACCOUNT_JSON'
      ? `the value in ${source} is not the JSON of a service account; store the key file as it is`
      : `the value in ${source} is not base64 of user:password; store what printf user:password | base64 gives`,
  pullMissing: (registry: string, stores: readonly StoreShown[], model: string) =>
    `no ${PULL_SECRET_TYPE} Secret ${stores
      .map((store) => storeShown(store, model))
      .join(
        ', or ',
      )} has a credential for ${registry}; label one, or name a store and key in spec.overrides[].from`,
  optionalMissing: 'optional, and no value is stored; the model runs without it',
  untrusted: 'spec.trusted is false; set it to true to deliver',
  notApproved: (key: string) =>
    `${shownName(key)} is not in spec.secrets of the model's ModelTrust; somebody who may write ModelTrusts has to approve it`,
  /** `key`: what the ModelTrust has to list. */
  renamed: (name: string, key: string) => `${shownName(name)} (key ${shownName(key)})`,
  envNotApproved: (names: readonly string[]) =>
    `not also as ${listed(names)}: not in spec.env of the model's ModelTrust`,
  approvalUnknown:
    'ModelTrusts cannot be read at the moment, so nothing is added, and only what its owner withdraws is taken away',

  configValid: (declared: number, warnings: readonly string[]) =>
    `${declared} declared${warnings.length > 0 ? `; ${warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`}: ${listed(warnings, 3)}` : ''}`,
  undeclaredOverrides: (names: string) => `spec.overrides has ${names}, which config.yaml does not declare`,
  configMapMissing: (namespace: string, name: string) =>
    `ConfigMap ${namespace}/${name} does not exist; create it: kubectl -n ${namespace} create configmap ${name} --from-file=config.yaml`,
  configKeyMissing: (namespace: string, name: string, key: string) =>
    `ConfigMap ${namespace}/${name} has no key ${key}; add it, or set spec.config.configMapRef.key`,
  configMalformed: (errors: readonly string[]) =>
    `${listed(errors, 3)}; correct config.yaml, until then what was delivered before stays`,
  specInvalid: (issues: readonly string[]) => `${listed(issues, 5)}; what was delivered before stays`,
  tooMany: (declared: number, limit: number) =>
    `config.yaml declares ${declared} secrets, at most ${limit} are possible; what was delivered before stays`,
  nameTooLong: (length: number, limit: number) =>
    `the name of the ModelDeployment has ${length} characters, at most ${limit} are possible, because the names of its Secrets append to it; give it a shorter name`,
  tooManyBytes: (bytes: number, limit: number) =>
    `the declared names times the containers come to ${bytes} bytes of pod template, at most ${limit} are possible; declare fewer, or name fewer containers`,
  trusted: 'spec.trusted is true',
  untrustedModel:
    'the model has secrets but is not trusted, so its workloads run without them; set spec.trusted to true to give it access',
  untrustedEmpty: 'spec.trusted is false; config.yaml declares no secret',
  approved: 'spec.trusted is true, and a ModelTrust approves what the model asks for',
  noModelTrust: (namespace: string, name: string) =>
    `the model gets nothing before a ModelTrust ${name} in namespace ${namespace} approves it; somebody who may write ModelTrusts runs: ${trustCommand(namespace, name)}`,
  modelTrustOfAnother: (namespace: string, name: string, uid: string) =>
    `ModelTrust ${name} approves another ModelDeployment of this name; to approve this one set its spec.modelUid to ${uid}, or run: ${trustCommand(namespace, name)}`,
  modelTrustInvalid: (name: string, issues: readonly string[]) =>
    `ModelTrust ${name} approves nothing, because it breaks a rule: ${listed(issues, 3)}`,
  awaitingApproval: (namespace: string, name: string, what: readonly string[]) =>
    `not approved by ModelTrust ${name}: ${what.join('; ')}; somebody who may write ModelTrusts runs: ${trustCommand(namespace, name)}`,
  approvalUnreadable: (why: string) =>
    `${why}; nothing is added until it can be read, and only what its owner withdraws is taken away`,
  modelTrustsUnread: (namespace: string) => `ModelTrusts in namespace ${namespace} cannot be read`,
  resolved: (delivered: number, declared: number) => `${delivered} of ${declared} have a value`,
  unresolved: (entries: readonly string[]) =>
    entries.length > 3
      ? `${entries.slice(0, 3).join('; ')}; and ${entries.length - 3} more`
      : entries.join('; '),
  storeUnreadable: (stores: readonly string[]) =>
    `cannot read ${listed(stores)}; what came from there stays until it can be read again, and nothing is added`,
  written: (name: string, keys: number) => `Secret ${name} has ${keys} ${keys === 1 ? 'key' : 'keys'}`,
  pullWritten: (name: string, isThere: boolean) =>
    isThere
      ? `Secret ${name} has the credentials for pulling images`
      : `no Secret ${name} yet, as no registry has a credential`,
  nothingDeclared: 'config.yaml declares no secret, so there is nothing to deliver',
  tooLarge:
    'the values are too large together: a Secret holds at most 1048576 bytes; nothing is added until they fit',
  foreignSecret: (name: string) =>
    `Secret ${name} exists and does not belong to this model; remove or rename it (it is not touched), or rename the model`,
  earlierSecret: (name: string) =>
    `Secret ${name} belongs to an earlier model of this name and is being deleted; it is made anew as soon as that is gone`,
  secretReverted: (name: string, editor: string | undefined) =>
    `${editor === undefined ? 'somebody keeps deleting' : `field manager ${editor} keeps changing`} Secret ${name}, so it is put back once in 10 minutes only; leave it to the operator, and change values in the store`,
  writeFailed: (what: string, why: string) => `${what}: ${why}; it is tried again`,
  notAuthorized: (what: string) =>
    `the operator may not ${what}; give it the right, see the RBAC rules it was installed with`,
  /** What the API server said is not shown, as it might hold what was sent. */
  secretForbidden: (what: string) =>
    `the operator may not ${what}: it lacks the right (see the RBAC rules it was installed with), a ResourceQuota of the namespace is used up, or an admission policy denies it`,
  workloadForbidden: (what: string, said: string) =>
    `the operator may not ${what} (${said}); if it lacks the right, see the RBAC rules it was installed with`,
  injected: (workloads: number) =>
    workloads === 1 ? '1 workload has the secrets' : `${workloads} workloads have the secrets`,
  noWorkloads: (secret: string) => `spec.workloads names none; mount Secret ${secret} yourself, or name them`,
  deliveryNone: (secret: string) => `spec.delivery is None; mount Secret ${secret} yourself`,
  ready: (summary: string) => `${summary} delivered`,
  trailingNewline: (names: readonly string[]) =>
    `the values of ${listed(names)} end in a newline, which Truss does not strip; store them without it if that is not meant`,
  shareWithMalformed: (entries: readonly string[]) =>
    `${SHARE_WITH_ANNOTATION}: ${listed(
      entries.map((entry) => JSON.stringify(shownName(entry))),
      3,
    )} ignored; write "<namespace>[@<uid>][/<model>], ..." with * as the only wildcard`,

  declarationUnknown:
    'it is not known what the model declares, so the pod template stays as it is; mend the config',
  workloadMissing: (kind: string, name: string) =>
    `${kind} ${name} does not exist yet; its pods get the secrets as soon as it does`,
  workloadDeleting: (kind: string, name: string) =>
    `${kind} ${name} is being deleted; the pods of a new one get the secrets as soon as it is there`,
  reverted: (editor: string, namespace: string, model: string) =>
    `somebody (field manager ${editor}) keeps taking the secrets out of the pod template, so they are put back once in 10 minutes only; add what "kubectl truss-secrets plan ${model} -n ${namespace} -o snippet" prints to the manifest that it writes`,
  frozen: (keys: readonly string[], namespace: string, kind: string, name: string) =>
    `${listed(keys.map(shownName))} went away while pods run, and until it has a value again their ${MOUNT_PATH} stays as it was, all files of it; store it again, or take it out of config.yaml, or kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}: the new pods wait for the value, and old ones that the update strategy keeps serving have to be deleted`,
  podsPaused: (namespace: string, name: string) =>
    `the rollout is paused, so pods keep what they have; kubectl -n ${namespace} rollout resume deployment/${name}`,
  podsOnDelete: (namespace: string, selector: string) =>
    `updateStrategy OnDelete: pods keep what they have until somebody deletes them; kubectl -n ${namespace} delete pods -l '${selector}'`,
  podsPartitioned: (namespace: string, kind: string, name: string) =>
    `updateStrategy.rollingUpdate.partition keeps some pods as they are; kubectl -n ${namespace} patch ${kind.toLowerCase()} ${name} --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'`,
  stuck: (namespace: string, selector: string) =>
    `a pod of an earlier template is not ready, and a StatefulSet replaces no other pod before it is (kubernetes#67250); if it never started, delete it: kubectl -n ${namespace} delete pods -l '${selector}' --field-selector=status.phase=Pending`,
  workloadHeld: (holder: string) =>
    `belongs to ModelDeployment ${holder}; one workload has one model, so remove it from spec.workloads of one of them`,
  workloadNotApproved: (kind: string, name: string) =>
    `${kind} ${name} is not in spec.workloads of the model's ModelTrust; somebody who may write ModelTrusts has to approve it`,
  unknownContainers: (names: readonly string[], known: readonly string[]) =>
    `no container ${listed(names)}; the pod template has ${listed(known)}`,
  mountTaken: (container: string, manager: string) =>
    `container ${container} already mounts something at ${MOUNT_PATH} (field manager ${manager}); remove that mount, or use delivery: Env`,
  envTaken: (container: string, name: string, manager: string) =>
    `container ${container} already has an environment variable ${name} (field manager ${manager}); remove it there`,
  volumeTaken: (manager: string) =>
    `the pod template already has a volume ${VOLUME_NAME} (field manager ${manager}); rename it`,
  duplicates: (what: string) =>
    `the pod template has ${what} twice, which server-side apply cannot handle; remove one of them`,
  applyConflict: (detail: string) => `another field manager owns what would be set: ${detail}`,
  applyTooLarge:
    'with all names in all containers the workload is too large for the API server; declare fewer names, name fewer containers, or use delivery: Mount',
  applyInvalid: (detail: string) => `the API server finds the result invalid: ${detail}`,
} as const;
