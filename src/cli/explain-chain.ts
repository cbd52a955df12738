import { messages } from '../api/messages.ts';
import type { Resolution } from '../plan/resolve.ts';
import { readTrussConfig, type TrussConfig } from '../truss/config.ts';
import { didYouMean } from './closest.ts';
import { injected, pods, written } from './explain-delivery.ts';
import { type Facts, kubectl, ours, specOf } from './explain-facts.ts';
import { chained, type Link, no, type Step, unknown, yes } from './explain-link.ts';
import { keyFound, storeLink, storesOf, usable } from './explain-store.ts';

/** Why a secret is there or is not, by the operator's own plan. */
export function explained(name: string, facts: Facts): readonly Link[] {
  const resolution = facts.acted.resolutions.find((one) => one.name === name);
  return chained((step) => {
    if (step === 'declared') return [declared(name, resolution, facts)];
    return resolution ? linksOf(step, resolution, facts) : [];
  });
}

function linksOf(step: Exclude<Step, 'declared'>, one: Resolution, facts: Facts): readonly Link[] {
  switch (step) {
    case 'name':
      return [
        one.state === 'InvalidName'
          ? no(step, one.message ?? '')
          : yes(step, 'it can be the name of a secret'),
      ];
    case 'trusted':
      return [trusted(facts)];
    case 'approved':
      return [approved(one, facts)];
    case 'purpose':
      return [purpose(one)];
    case 'store':
      return storesOf(one, facts).map((store) => storeLink(store, facts));
    case 'key':
      return [keyFound(one, facts)];
    case 'value':
      return [usable(one, facts)];
    case 'written':
      return [written(one, facts)];
    case 'injected':
      return injected(one, facts);
    case 'pods':
      return pods(one, facts);
  }
}

function declared(name: string, resolution: Resolution | undefined, facts: Facts): Link {
  const step = 'declared';
  const { live, acted } = facts;
  const check = configCheck(facts);
  const { config } = acted;
  const right = `get configmaps -n ${live.model.namespace}`;
  if (live.reads.unread.has(right)) {
    return resolution
      ? unknown(step, `you lack the right to: ${right}; the operator's status has the name`)
      : no(step, `you lack the right to: ${right}, and the operator's status has no such name`);
  }
  if (config.kind === 'unusable') return no(step, config.message, { check });
  if (!resolution || !live.config) {
    const names = acted.resolutions.map((one) => one.name);
    const fix = `add to config.yaml, below secrets:   ${name}: null`;
    return no(step, `config.yaml does not declare ${name}${didYouMean(name, names)}`, { check, fix });
  }
  const place = placeOf(name, readTrussConfig(live.config.text));
  const where = place === undefined ? '' : `config.yaml:${place.line}:${place.column}, `;
  return yes(step, `${where}${live.config.where}`, { check });
}

function configCheck(facts: Facts): string {
  const ref = specOf(facts)?.config.configMapRef;
  const { model } = facts.live;
  const path = ref
    ? `get configmap ${ref.name} -o jsonpath='{.data.${ref.key.replaceAll('.', '\\.')}}'`
    : `get modeldeployment ${model.name} -o jsonpath='{.spec.config.inline}'`;
  return `${kubectl(facts, path)} | ${facts.program} inspect -f -`;
}

function placeOf(
  name: string,
  { secrets, optional, build, weights, pull }: TrussConfig,
): { readonly line: number; readonly column: number } | undefined {
  const references = [...secrets, ...optional, ...build, ...weights];
  return references.find((one) => one.name === name) ?? pull.find(({ names }) => names.includes(name));
}

function trusted(facts: Facts): Link {
  const step = 'trusted';
  const check = kubectl(facts, `get modeldeployment ${facts.live.model.name} -o jsonpath='{.spec.trusted}'`);
  return facts.acted.trusted
    ? yes(step, messages.trusted, { check })
    : no(step, 'spec.trusted is false, so that the model gets nothing', { check, fix: ours(facts, 'trust') });
}

function approved({ state, message, held }: Resolution, facts: Facts): Link {
  const step = 'approved';
  const { live, acted } = facts;
  if (!live.requireApproval)
    return yes(step, 'the operator asks for no approval, as far as its status tells');
  const check = kubectl(facts, `get modeltrust ${live.model.name} -o yaml`);
  if (acted.approval.kind === 'unknown') {
    return unknown(
      step,
      `you may not read ModelTrusts; by the operator's status it is ${held ? state : 'not known'}`,
    );
  }
  return state === 'NotApproved'
    ? no(step, message ?? '', { check, fix: ours(facts, 'trust') })
    : yes(step, `ModelTrust ${live.model.name} approves it`, { check });
}

function purpose({ state, role, pull, message }: Resolution): Link {
  const step = 'purpose';
  if (state === 'BuildOnly' || state === 'Unsupported') return no(step, message ?? '');
  return yes(
    step,
    role === 'Pull' ? `to pull images from ${pull?.registry ?? ''}` : 'for the containers of the pods',
  );
}
