import { ENV_PREFIX } from '../api/names.ts';
import { runChild } from './child.ts';
import { defineCommand } from './command.ts';
import { fileOption, readConfigFile } from './config-file.ts';
import { codeOf, CommandError, UsageError } from './errors.ts';
import { type Io, warn } from './io.ts';
import { localConfigPath, readLocalSecrets } from './local-secrets.ts';
import { makeFolder } from './run-folder.ts';
import { type Delivery, deliveryFor } from './run-delivery.ts';
import { decodeYaml } from '../truss/decode.ts';
import { readTrussConfig, type TrussConfig } from '../truss/config.ts';

/** Where CMD finds the folder of `--folder`. */
const FOLDER_ENV = 'TRUSS_SECRETS_FOLDER';

export const run = defineCommand({
  usage: 'run -f FILE [--folder] [--allow-missing] -- CMD [ARGS...]',
  description: [
    'Runs CMD with the secrets that FILE declares, and no others, with their values from ~/.truss/config.yaml, or else from the environment (TRUSS_SECRET_NAME). CMD gets them as environment variables TRUSS_SECRET_NAME; it has our terminal, input and outputs, gets our signals, and its exit code is ours.',
    `With --folder it gets a private folder of files like /secrets instead, whose path is in ${FOLDER_ENV}: for docker run -v, as Truss itself reads /secrets only. The folder is in memory where that can be had, and is removed when CMD ends, also by a signal (but for SIGKILL, which nothing can follow).`,
    'A name that has no value is reported before CMD starts, and it does not start unless the config has a default for it.',
  ],
  maxPositionals: Infinity,
  passesOn: true,
  options: {
    ...fileOption,
    folder: { type: 'boolean', help: `deliver files in a private folder, $${FOLDER_ENV}` },
    'allow-missing': { type: 'boolean', help: 'start CMD even if a declared secret has no value' },
  },
  examples: [
    {
      does: "start a model's server",
      line: 'truss-secrets run -f config.yaml -- python my_model.py',
    },
    {
      does: "start a Truss image; the single quotes leave the folder's name to sh",
      line: `truss-secrets run -f config.yaml --folder -- sh -c 'docker run --rm -v "$${FOLDER_ENV}:/secrets:ro" my-truss'`,
    },
  ],
  run: async (io, { values, positionals, rest }) => {
    const [command, ...args] = rest ?? [];
    const [stray] = positionals;
    if (stray !== undefined) {
      throw new UsageError(`unexpected argument ${JSON.stringify(stray)}: put -- before CMD`);
    }
    if (command === undefined) throw new UsageError('no CMD given after --');
    const config = await readConfig(io, values.filename);
    const local = await readLocalSecrets(localConfigPath());
    const folder = values.folder ?? false;
    const delivery = deliveryFor(config, local ?? [], io.env, folder ? 'folder' : 'env');
    for (const note of delivery.notes) warn(io, note);
    if (delivery.missing.length > 0) {
      const message = `no value for ${delivery.missing.join(', ')}: add it to ~/.truss/config.yaml below secrets:`;
      if (!values['allow-missing'])
        throw new CommandError(`${message}, or start without it by --allow-missing`);
      warn(io, message);
    }
    return runChild(io, command, args, () => (folder ? inFolder(io, delivery) : inEnv(io, delivery)));
  },
});

async function readConfig(io: Io, filename: string | undefined): Promise<TrussConfig> {
  const { file, bytes } = await readConfigFile(io, filename);
  const decoded = decodeYaml(bytes);
  const config = 'error' in decoded ? undefined : readTrussConfig(decoded.text);
  const [error] = 'error' in decoded ? [decoded.error] : (config?.errors ?? []);
  if (config === undefined || error !== undefined) {
    throw new CommandError(`${file}:${error?.line}:${error?.column}: ${error?.message}`);
  }
  return config;
}

interface Prepared {
  readonly env: NodeJS.ProcessEnv;
  readonly cleanUp: () => void;
}

/** The user's environment without secrets: CMD gets the declared ones only, and in one way only. */
const withoutSecrets = (io: Io): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(io.env).filter(([name]) => !name.startsWith(ENV_PREFIX)));

function inEnv(io: Io, { values }: Delivery): Prepared {
  const secrets = [...values].map(([name, bytes]) => [ENV_PREFIX + name, bytes.toString('utf8')]);
  return { env: { ...withoutSecrets(io), ...Object.fromEntries(secrets) }, cleanUp: () => {} };
}

function inFolder(io: Io, { values }: Delivery): Prepared {
  try {
    const folder = makeFolder(io.env['XDG_RUNTIME_DIR'], values);
    if (!folder.inMemory) {
      warn(io, `there is no tmpfs here: until CMD ends the values are on a disk, in ${folder.path}`);
    }
    return { env: { ...withoutSecrets(io), [FOLDER_ENV]: folder.path }, cleanUp: folder.remove };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new CommandError(`the folder for the secrets can't be written (${code})`, { cause: error });
  }
}
