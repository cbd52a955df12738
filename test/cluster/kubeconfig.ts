import { KubeConfig } from '@kubernetes/client-node';
import { type RequestOptions } from 'node:https';
import type { Access } from './api.ts';

/** The current context of a kubeconfig file, whatever way it authenticates, as plain data. */
export async function accessOf(path: string): Promise<Access> {
  const config = new KubeConfig();
  config.loadFromFile(path);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error(`${path} has no current context with a cluster.`);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const header = Object.entries(options.headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'authorization',
  )?.[1];
  const token = /^Bearer (?<token>.+)$/.exec(String(header))?.groups?.['token'];
  return {
    server,
    ...text('ca', options.ca),
    ...text('certificate', options.cert),
    ...text('key', options.key),
    ...(token === undefined ? {} : { token }),
    ...(options.rejectUnauthorized === false ? { insecure: true } : {}),
  };
}

function text<Name extends string>(name: Name, value: unknown): Partial<Record<Name, string>> {
  if (typeof value === 'string' || Buffer.isBuffer(value)) {
    const field: Partial<Record<Name, string>> = {};
    field[name] = value.toString();
    return field;
  }
  return {};
}
