import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { API_VERSION } from '../api/names.ts';
import { isRecord } from '../kube/object.ts';
import { codeOf, CommandError } from './errors.ts';
import type { Io } from './io.ts';

/** A ModelDeployment as it is written in a file. */
export interface ModelFile {
  readonly name: string;
  /** Undefined: the file does not say. */
  readonly namespace: string | undefined;
  readonly spec: unknown;
}

/** Reads the one ModelDeployment of a manifest, which may hold other objects. @throws CommandError */
export async function readModelFile(io: Io, file: string): Promise<ModelFile> {
  return parseModelFile(file, await text(io, file));
}

async function text(io: Io, file: string): Promise<string> {
  try {
    return file === '-' ? (await buffer(io.stdin)).toString() : await readFile(file, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new CommandError(`${file} can't be read: ${code}. Check -f.`, { cause: error });
  }
}

/** @throws CommandError */
export function parseModelFile(file: string, manifest: string): ModelFile {
  const documents = parseAllDocuments(manifest);
  const objects = ('empty' in documents ? [] : documents).map((document) => {
    const [error] = document.errors;
    if (error) throw new CommandError(`${file}: ${error.message.split('\n', 1)[0]}`);
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  });
  const [model, ...more] = objects.flatMap((object) => modelIn(file, object));
  if (!model) throw new CommandError(`${file} holds no ModelDeployment of ${API_VERSION}`);
  if (more.length > 0)
    throw new CommandError(`${file} holds ${more.length + 1} ModelDeployments: plan them one by one`);
  return model;
}

function modelIn(file: string, object: unknown): readonly ModelFile[] {
  if (!isRecord(object) || object['kind'] !== 'ModelDeployment' || object['apiVersion'] !== API_VERSION)
    return [];
  const { metadata, spec } = object;
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  if (typeof name !== 'string' || name === '')
    throw new CommandError(`${file}: the ModelDeployment has no metadata.name`);
  return [{ name, namespace: typeof namespace === 'string' ? namespace : undefined, spec }];
}
