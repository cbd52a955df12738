import { messages } from '../api/messages.ts';
import { ENV_PREFIX, MOUNT_PATH } from '../api/names.ts';
import { digestOf } from '../controller/digest.ts';
import type { Resolution } from '../plan/resolve.ts';
import type { WorkloadPlan } from '../plan/workload.ts';
import { type Facts, kubectl, specOf } from './explain-facts.ts';
import { type Link, no, unknown, yes } from './explain-link.ts';

/** Whether the delivered Secret has it. */
export function written(one: Resolution, facts: Facts): Link {
  const step = 'written';
  const { live, acted } = facts;
  const { namespace } = live.model;
  const isPull = one.role === 'Pull';
  const planned = isPull ? acted.pull : acted.secret;
  const view = isPull ? live.snapshot.pull : live.snapshot.delivered;
  const check = kubectl(facts, `describe secret ${planned.name}`);
  const right = `get secrets -n ${namespace}`;
  if (live.reads.unread.has(right)) return unknown(step, `you lack the right to: ${right}`);
  const found = live.caches.delivered.get(namespace, planned.name);
  if (found && found.owner?.uid !== live.model.uid)
    return no(step, messages.foreignSecret(planned.name), { check });
  const operator = {
    check,
    fix: `is the operator running? ${kubectl(facts, `describe modeldeployment ${live.model.name}`)}`,
  };
  if (view.kind === 'absent') return no(step, `Secret ${planned.name} is not there yet`, operator);
  const held = isPull ? planned.action.kind === 'none' || undefined : view.digests.has(one.name);
  if (!held) {
    const why = acted.secret.tooLarge ? 'is too large to take it' : 'does not have it yet';
    return no(step, `Secret ${planned.name} ${why}`, operator);
  }
  const isOld = !isPull && one.value !== undefined && digestOf(one.value) !== view.digests.get(one.name);
  if (isOld) return no(step, `Secret ${planned.name} has another value than the store, as yet`, operator);
  return yes(step, `Secret ${planned.name} has it, resourceVersion ${view.resourceVersion}`, { check });
}

/** States of workloads whose pod template is as it should be. */
const IN_TEMPLATE: ReadonlySet<string> = new Set(['Injected', 'Frozen', 'PodsStale', 'Stuck']);

const named = ({ acted }: Facts): readonly WorkloadPlan[] => acted.workloads.filter(({ ref }) => ref);

/** Whether the pod templates have it, and where. */
export function injected(one: Resolution, facts: Facts): readonly Link[] {
  const step = 'injected';
  const spec = specOf(facts);
  const { secret } = facts.acted;
  if (spec?.delivery === 'None') return [unknown(step, messages.deliveryNone(secret.name))];
  if (named(facts).length === 0) return [unknown(step, messages.noWorkloads(secret.name))];
  return named(facts).map((workload) => {
    const { ref, action, state, message } = workload;
    const shown = `${ref?.kind} ${ref?.name}`;
    const commands = { check: kubectl(facts, `get ${ref?.kind.toLowerCase()} ${ref?.name} -o yaml`) };
    if (action.kind !== 'none') {
      const fix = `is the operator running? ${kubectl(facts, `describe modeldeployment ${facts.live.model.name}`)}`;
      return no(step, `${shown} does not have it in its pod template yet`, { ...commands, fix });
    }
    if (state === undefined || !IN_TEMPLATE.has(state)) return no(step, about(shown, message), commands);
    return yes(step, `${shown}${placesIn(one, workload, facts)}`, commands);
  });
}

/** Some messages name the workload themselves. */
const about = (workload: string, message = ''): string =>
  message.startsWith(workload) ? message : `${workload}: ${message}`;

/** `, container model: /secrets/hf_token, HF_TOKEN` */
function placesIn({ name, role }: Resolution, { ref }: WorkloadPlan, { live, acted }: Facts): string {
  if (role === 'Pull') return `: imagePullSecrets has ${acted.pull.name}`;
  const view = live.snapshot.workloads.find((one) => one.ref === ref);
  if (view?.kind !== 'present') return '';
  const reference = `${acted.secret.name}/${name}/`;
  const places = view.live.containers.flatMap(({ name: container, mounts, env }) => {
    const files = mounts.some(({ same }) => same) ? [`${MOUNT_PATH}/${name}`] : [];
    const variables = env.filter(({ secretKeyRef }) => secretKeyRef?.startsWith(reference));
    const all = [...files, ...variables.map((one) => one.name)];
    return all.length > 0 ? [`, container ${container}: ${all.join(', ')}`] : [];
  });
  return places.length > 0 ? places.join('') : `: nothing as ${MOUNT_PATH}/${name} or ${ENV_PREFIX}${name}`;
}

/** Whether the pods have it. */
export function pods(one: Resolution, facts: Facts): readonly Link[] {
  const step = 'pods';
  return named(facts).map(({ ref, state, message }) => {
    const shown = `${ref?.kind} ${ref?.name}`;
    const found = facts.pods.get(`${ref?.kind}/${ref?.name}`);
    if (state !== undefined && state !== 'Injected') return no(step, about(shown, message));
    if (!found) return unknown(step, `${shown}: its pods get it when they start`);
    if (found.kind === 'unread') return unknown(step, `${shown}: you lack the right to: ${found.right}`);
    const check = kubectl(facts, `get pods -l '${found.selector}'`);
    if (found.pods.length === 0) return unknown(step, `${shown} has no pods at the moment`, { check });
    const without = found.pods.filter(({ secrets }) => !secrets.has(one.role === 'Pull' ? '' : one.name));
    const [stale] = one.role === 'Pull' ? [] : without;
    if (stale) {
      const fix = kubectl(facts, `rollout restart ${ref?.kind.toLowerCase()}/${ref?.name}`);
      return no(step, `${shown}: pod ${stale.name} was started without it`, { check, fix });
    }
    const waiting = found.pods.find(({ ready }) => !ready);
    return waiting
      ? no(step, `${shown}: pod ${waiting.name} is not ready (${waiting.why})`, {
          check: kubectl(facts, `describe pod ${waiting.name}`),
        })
      : yes(
          step,
          `${shown}: ${found.pods.length === 1 ? '1 pod has' : `${found.pods.length} pods have`} it, and all are ready`,
          { check },
        );
  });
}
