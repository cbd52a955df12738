import { WORKLOAD_KINDS } from '../api/model-deployment.ts';
import { deliveredSecretName } from '../api/names.ts';
import type { Priority } from '../kube/queue.ts';
import type { LiveWorkload } from '../plan/snapshot.ts';
import { type Caches, configId, markedModel, workloadKey } from './caches.ts';
import { type Memory, secretId } from './memory.ts';
import type { CachedModel } from './model.ts';
import type { CachedDelivered } from './secret.ts';
import { modelsOfChange } from './source-change.ts';
import { lostSecrets } from './unlabelled.ts';

/** What a change of the caches means for the queue: the keys (`namespace/name`) of the models to look at again. */
export type Wake = (keys: Iterable<string>, priority?: Priority) => void;

/** A change that concerns more models than this lets those go first that concern one: somebody waits for these. */
const MANY = 20;

/** Connects the caches to the queue. Every change of anything that a plan depends on wakes the models it matters to. */
export function connectWakes(caches: Caches, memory: Memory, wake: Wake): void {
  const { models, trusts, sources, delivered, configs, workloads } = caches;

  const wakeRivals = ({ namespace, spec }: CachedModel): void => {
    if (spec.kind === 'invalid') return;
    for (const { kind, name } of spec.spec.workloads) {
      wake(models.keysBy('workload', workloadKey(kind, namespace, name)));
    }
  };

  models.onChange((key, old, now) => {
    if (old && !now) {
      const lost = lostSecrets(old, caches, memory);
      if (lost.length > 0) memory.rememberLeft(key, lost);
    }
    if (old && old.uid !== now?.uid) memory.forget(old.uid);
    const isSame =
      old?.uid === now?.uid && old?.generation === now?.generation && old?.deleting === now?.deleting;
    if (isSame && now && memory.expectsStatus(now.uid, now.statusDigest)) return;
    wake([key]);
    if (isSame) return;
    // what nobody asked for meanwhile may have come unseen
    if (old) for (const id of askedBy(old)) memory.forgetAbsent(id);
    // what it asked for may be another's now, and the other way round
    for (const model of [old, now]) if (model) wakeRivals(model);
  });

  // a ModelTrust has the name of its model
  trusts?.onChange((key) => {
    wake([key]);
    const model = models.getByKey(key);
    if (model) wakeRivals(model);
  });

  sources.onChange((_key, old, now) => {
    const concerned = modelsOfChange(old, now, caches);
    wake(concerned, concerned.length > MANY ? 'low' : 'high');
  });

  delivered.onChange((_key, old, now) => {
    // anybody may write an owner reference: only a model that is there is forgotten again
    if (old?.owner && !now && old.name === deliveredSecretName(old.owner.name)) {
      const { name, uid } = old.owner;
      if (models.get(old.namespace, name)?.uid === uid) memory.rememberDelivered(uid, old.view);
    }
    if (now?.owner && now.name === deliveredSecretName(now.owner.name)) memory.forgetDelivered(now.owner.uid);
    if (now && isOwnWrite(now, memory)) return;
    const owners = new Set(
      [old, now].flatMap((secret) => (secret?.owner ? [`${secret.namespace}/${secret.owner.name}`] : [])),
    );
    wake(owners, 'low');
  });

  configs.onChange((key) => {
    memory.forgetAbsent(configId(key));
    wake(models.keysBy('config', key));
  });

  for (const kind of WORKLOAD_KINDS) {
    workloads.get(kind)?.store.onChange((_key, old, now) => {
      if (now) memory.forgetAbsent(workloadKey(kind, now.namespace, now.name));
      for (const live of [old, now]) if (live) wakeForWorkload(live, caches, wake);
    });
  }
}

/** Whether a delivered Secret came back as it is being written by this process, with nothing changed on the way. */
function isOwnWrite({ namespace, name, owner, view }: CachedDelivered, memory: Memory): boolean {
  if (!owner || view.deleting || !view.replaceable || !view.labelled || !view.soleOwner) return false;
  return memory.expectsSecret(secretId({ namespace, ...owner }, name), view);
}

/** What stands for the objects that a model refers to. */
function askedBy({ namespace, spec }: CachedModel): readonly string[] {
  if (spec.kind === 'invalid') return [];
  const { config, workloads } = spec.spec;
  return [
    ...(config.configMapRef ? [configId(`${namespace}/${config.configMapRef.name}`)] : []),
    ...workloads.map(({ kind, name }) => workloadKey(kind, namespace, name)),
  ];
}

function wakeForWorkload(live: LiveWorkload, { models }: Caches, wake: Wake): void {
  wake(models.keysBy('workload', workloadKey(live.workloadKind, live.namespace, live.name)));
  const marked = markedModel(live);
  if (marked !== undefined) wake([marked]);
}
