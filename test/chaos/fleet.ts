import { deepStrictEqual } from 'node:assert/strict';
import type { ModelDeploymentStatus } from '../../src/api/model-deployment.ts';
import type { Api, KubernetesObject } from '../cluster/api.ts';
import { eventually } from '../cluster/eventually.ts';
import { conditionOf, declaring, orUndefined, type PodSpec, type World, worldIn } from '../cluster/world.ts';
import type { Dice } from './random.ts';

interface Model {
  declared: readonly string[];
  trusted: boolean;
  readonly delivery: 'Mount' | 'Env';
  readonly onMissing: 'Wait' | 'Skip';
  hasWorkload: boolean;
  /** How often its injection was taken out by hand: the operator gives in after five times in ten minutes. */
  undone: number;
}

/** How one model is, or should be. */
interface Standing {
  /** Of the delivered Secret; undefined: there is none. */
  readonly values: Readonly<Record<string, string>> | undefined;
  /** The names in the pod template of its workload; undefined: nothing of ours is there. */
  readonly injected: readonly string[] | undefined;
  readonly ready: string;
}

type Named<T> = Readonly<Record<string, T>>;

const KEYS = Array.from({ length: 12 }, (_, index) => `key_${index}`);
const SOURCES = 4;
const MOST_MODELS = 10;
const MOST_UNDONE = 2;

const sourceOf = (key: string): string => `source-${KEYS.indexOf(key) % SOURCES}`;

/**
 * Models, workloads and store Secrets that are changed at random, with an oracle: what is wanted is kept here, in so
 * simple a way that it can be seen to be right, and compared with what the cluster has.
 */
export class Fleet {
  readonly #world: World;
  readonly #api: Api;
  readonly #dice: Dice;
  readonly #values = new Map<string, string>();
  readonly #models = new Map<string, Model>();
  /** Workloads whose model is gone. */
  readonly #left = new Set<string>();
  #count = 0;

  constructor(namespace: string, api: Api, dice: Dice) {
    this.#world = worldIn(namespace, api);
    this.#api = api;
    this.#dice = dice;
  }

  /** Some keys in the store, and some models that ask for them. */
  async populate(models: number): Promise<void> {
    for (const key of KEYS.slice(0, KEYS.length - 2)) await this.#setKey(key);
    for (let made = 0; made < models; made += 1) await this.#addModel();
  }

  /** One change, as somebody would make it with kubectl. Gives what it was, for the log of a failure. */
  async change(): Promise<string> {
    const { pick, chance } = this.#dice;
    const name = pick([...this.#models.keys()]);
    const model = name === undefined ? undefined : this.#models.get(name);
    const key = pick(KEYS) ?? '';
    if (name === undefined || !model || (this.#models.size < MOST_MODELS && chance(0.15)))
      return await this.#addModel();
    const changes: readonly (() => Promise<string>)[] = [
      () => this.#setKey(key),
      () => this.#setKey(key),
      () => this.#setKey(key),
      () => this.#dropKey(key),
      () => this.#dropModel(name),
      () => this.#trust(name, model),
      () => this.#declare(name, model),
      () => this.#toggleWorkload(name, model),
      () => this.#tamperSecret(name),
      () => this.#tamperTemplate(name, model),
    ];
    return (await pick(changes)?.()) ?? '';
  }

  /** A change of one value of a model that shows on its delivered Secret: the smallest proof that the operator works. */
  async rotate(): Promise<void> {
    const wanted = [...this.#models.values()].flatMap(({ declared, trusted }) => (trusted ? declared : []));
    await this.#setKey(this.#dice.pick(wanted) ?? KEYS[0] ?? '');
  }

  /** Waits until everything is as it should be; else it says what is not. */
  async isRight(within: number): Promise<void> {
    await eventually(async () => deepStrictEqual(await this.#actual(), this.#expected()), { within });
  }

  /** Removes the workloads that outlived their model, so that a long run has no more of them than a short one. */
  async tidy(): Promise<void> {
    for (const name of this.#left) await this.#api.delete(this.#world.path('deployments', name));
    this.#left.clear();
  }

  async #setKey(key: string): Promise<string> {
    const value = `value-${this.#dice.upTo(2 ** 31)}`;
    const source = sourceOf(key);
    const data = { [key]: Buffer.from(value).toString('base64') };
    const there = await orUndefined(this.#api.get(this.#world.path('secrets', source)));
    if (there) await this.#api.patch(this.#world.path('secrets', source), { data });
    else await this.#world.storeSecret(source, { [key]: value });
    this.#values.set(key, value);
    return `set ${key}`;
  }

  async #dropKey(key: string): Promise<string> {
    if (!this.#values.has(key)) return `${key} is away already`;
    await this.#api.patch(this.#world.path('secrets', sourceOf(key)), { data: { [key]: null } });
    this.#values.delete(key);
    return `drop ${key}`;
  }

  async #addModel(): Promise<string> {
    const { chance } = this.#dice;
    const name = `m${this.#count}`;
    this.#count += 1;
    const model: Model = {
      declared: this.#someKeys(),
      trusted: chance(0.85),
      delivery: chance(0.7) ? 'Mount' : 'Env',
      onMissing: chance(0.8) ? 'Wait' : 'Skip',
      hasWorkload: chance(0.85),
      undone: 0,
    };
    const { declared, trusted, delivery, onMissing } = model;
    if (model.hasWorkload) await this.#world.deployment(name);
    await this.#world.model(name, { trusted, delivery, onMissing, config: declaring(...declared) });
    this.#models.set(name, model);
    return `add ${name}: ${JSON.stringify(model)}`;
  }

  async #dropModel(name: string): Promise<string> {
    await this.#api.delete(this.#world.path('modeldeployments', name));
    if (this.#models.get(name)?.hasWorkload === true) this.#left.add(name);
    this.#models.delete(name);
    return `drop ${name}`;
  }

  async #trust(name: string, model: Model): Promise<string> {
    await this.#world.patchModel(name, { trusted: !model.trusted });
    model.trusted = !model.trusted;
    return `${name}: trusted ${model.trusted}`;
  }

  async #declare(name: string, model: Model): Promise<string> {
    const declared = this.#someKeys();
    await this.#world.patchModel(name, { config: declaring(...declared) });
    model.declared = declared;
    return `${name}: declares ${declared.join(', ')}`;
  }

  async #toggleWorkload(name: string, model: Model): Promise<string> {
    if (model.hasWorkload) await this.#api.delete(this.#world.path('deployments', name));
    else await this.#world.deployment(name);
    model.hasWorkload = !model.hasWorkload;
    model.undone = 0;
    return `${name}: workload ${model.hasWorkload}`;
  }

  async #tamperSecret(name: string): Promise<string> {
    const path = this.#world.path('secrets', `${name}-truss-secrets`);
    const data = { [this.#dice.pick(KEYS) ?? '']: Buffer.from('tampered').toString('base64'), extra: '' };
    if (this.#dice.chance(0.5)) await orUndefined(this.#api.patch(path, { data }));
    else await orUndefined(this.#api.delete(path));
    return `${name}: its Secret is tampered with`;
  }

  async #tamperTemplate(name: string, model: Model): Promise<string> {
    if (!model.hasWorkload || model.undone >= MOST_UNDONE) return `${name}: its template is left alone`;
    model.undone += 1;
    const [container] = (await this.#world.podSpec(name)).containers;
    const containers = [{ ...container, env: null, volumeMounts: null }];
    const spec = { template: { spec: { volumes: null, containers } } };
    await this.#api.patch(this.#world.path('deployments', name), { spec });
    return `${name}: its template is tampered with`;
  }

  #someKeys(): readonly string[] {
    const { chance, pick } = this.#dice;
    const keys = KEYS.filter(() => chance(0.25));
    return keys.length > 0 ? keys : [pick(KEYS) ?? ''];
  }

  #expected(): Named<Standing> {
    const standings = [...this.#models].map(([name, model]) => [name, this.#expectedOf(model)] as const);
    const left = [...this.#left].map(
      (name) => [name, { values: undefined, injected: undefined, ready: 'gone' }] as const,
    );
    return Object.fromEntries([...standings, ...left]);
  }

  #expectedOf({ declared, trusted, onMissing, hasWorkload }: Model): Standing {
    if (!trusted) return { values: undefined, injected: undefined, ready: 'False' };
    const found = declared.flatMap((key) => {
      const value = this.#values.get(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    const complete = found.length === declared.length || onMissing === 'Skip';
    return {
      values: Object.fromEntries(found),
      injected: hasWorkload ? declared.toSorted() : undefined,
      ready: complete && hasWorkload ? 'True' : 'False',
    };
  }

  async #actual(): Promise<Named<Standing>> {
    const [models, secrets, deployments] = await Promise.all([
      this.#list<KubernetesObject & { status?: ModelDeploymentStatus }>('modeldeployments'),
      this.#list('secrets'),
      this.#list<KubernetesObject & { spec: { template: { spec: PodSpec } } }>('deployments'),
    ]);
    const standing = (name: string): Standing => ({
      values: this.#models.has(name) ? decoded(secrets.get(`${name}-truss-secrets`)) : undefined,
      injected: injectedInto(deployments.get(name)),
      ready: readyOf(models.get(name)),
    });
    const names = [...new Set([...models.keys(), ...this.#left])];
    return Object.fromEntries(names.map((name) => [name, standing(name)]));
  }

  async #list<T extends KubernetesObject>(
    plural: 'modeldeployments' | 'secrets' | 'deployments',
  ): Promise<ReadonlyMap<string, T>> {
    const { items } = await this.#api.get<{ items: T[] }>(this.#world.path(plural));
    return new Map(items.map((item) => [item.metadata.name, item]));
  }
}

function decoded(secret: KubernetesObject | undefined): Named<string> | undefined {
  if (!secret) return undefined;
  const entries = Object.entries(secret.data ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** Names in our volume, or in env entries that refer to a delivered Secret; one of the two ways, not both. */
function injectedInto(
  deployment: (KubernetesObject & { spec: { template: { spec: PodSpec } } }) | undefined,
): readonly string[] | undefined {
  if (!deployment) return undefined;
  const { containers, volumes = [] } = deployment.spec.template.spec;
  const text = JSON.stringify({
    volumes: volumes.filter(({ name }) => name === 'truss-secrets'),
    env: containers.map(({ env }) => env),
  });
  const names = [...text.matchAll(/"key":"([^"]+)"/g)].map(([, name = '']) => name).toSorted();
  const marked = deployment.metadata.annotations?.['truss-secrets.dev/model'] !== undefined;
  if (marked !== names.length > 0) return [`marked: ${marked}`, ...names];
  return marked ? names : undefined;
}

function readyOf(model: (KubernetesObject & { status?: ModelDeploymentStatus }) | undefined): string {
  if (!model) return 'gone';
  const { observedGeneration, conditions } = model.status ?? {};
  if (observedGeneration !== model.metadata.generation) return 'not up to date';
  return conditionOf(conditions, 'Ready')?.status ?? 'no condition';
}
