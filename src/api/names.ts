/** Every fixed name of the contract with the user (DESIGN.md section 2), in one place. */

export const GROUP = 'truss-secrets.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Field manager, event source and `app.kubernetes.io/managed-by` of everything that we write. */
export const MANAGER = 'truss-secrets';

export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const STORE_LABEL = `${GROUP}/store`;
export const ENVIRONMENT_LABEL = `${GROUP}/environment`;
export const SHARE_WITH_ANNOTATION = `${GROUP}/share-with`;
/** On a workload: `<name>/<uid>` of the model that it belongs to. */
export const MODEL_ANNOTATION = `${GROUP}/model`;
/** On the delivered Secret and, copied from there, on pod templates: a random id that rolls the pods. */
export const REVISION_ANNOTATION = `${GROUP}/revision`;
export const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container';

export const SECRET_TYPE = 'Opaque';
export const PULL_SECRET_TYPE = 'kubernetes.io/dockerconfigjson';
/** The key that Kubernetes wants in a Secret of {@link PULL_SECRET_TYPE}. */
export const DOCKER_CONFIG_KEY = '.dockerconfigjson';

export const VOLUME_NAME = 'truss-secrets';
export const MOUNT_PATH = '/secrets';
export const ENV_PREFIX = 'TRUSS_SECRET_';

/** Names of Kubernetes objects have at most 253 characters; ours append 14. */
export const MAX_MODEL_NAME = 239;

export const deliveredSecretName = (model: string): string => `${model}-truss-secrets`;
export const pullSecretName = (model: string): string => `${model}-truss-pull`;
