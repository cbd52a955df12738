import { constants } from 'node:os';
import { runOperator } from '../controller/operator.ts';
import { connect, CredentialsError } from '../kube/connection.ts';
import { defineCommand } from './command.ts';
import { controllerOptions, controllerSettings } from './controller-options.ts';
import { codeOf, CommandError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { Io } from './io.ts';
import { createLogger } from './log.ts';
import { version } from './version.ts';

export const controller = defineCommand({
  usage: 'controller [--namespaces NAMESPACE,...] [OPTIONS]',
  description: [
    'Runs the operator: watches ModelDeployments, and brings each one the secrets that it declares, until it is stopped.',
    'In a pod it uses the credentials of its ServiceAccount, stands for leader and serves metrics and probes; elsewhere it uses the kubeconfig.',
    'Each option but --kubeconfig and --context can also be an environment variable: --log-level is $TRUSS_SECRETS_LOG_LEVEL.',
  ],
  options: controllerOptions,
  examples: [
    {
      does: 'run it from a clone, on the cluster that kubectl uses',
      line: 'truss-secrets controller --log-format text',
    },
    {
      does: 'with the rights for two namespaces only',
      line: 'truss-secrets controller --namespaces models,org-secrets',
    },
  ],
  run: async (io, { values }) => {
    const settings = controllerSettings(values, io.env);
    const { inPod, election, ...rest } = settings;
    const logger = createLogger(settings.log, io.stdout);
    io.onExit(() => logger.flush());
    const stop = firstSignal(io);
    const { kubeconfig: path, context } = values;
    const connection = await connect(
      inPod ? { kind: 'in-cluster' } : { kind: 'kubeconfig', path, context },
    ).catch((error: unknown) => {
      throw error instanceof CredentialsError ? new CommandError(error.message, { cause: error }) : error;
    });
    const server = `${connection.server.origin}${connection.server.pathname}`;
    const { namespaces = 'all', requireApproval } = settings;
    logger.info(
      { version, server, namespaces, requireApproval, leaderElect: election !== undefined },
      'starting',
    );
    stop.addEventListener('abort', () => logger.info({ signal: stop.reason }, 'stopping'));
    try {
      await runOperator(
        {
          ...rest,
          connection,
          logger,
          version,
          election: election && {
            lease: { namespace: election.namespace ?? connection.namespace, name: election.name },
            timings: election.timings,
          },
        },
        stop,
      );
    } catch (error) {
      const taken = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES'].includes(codeOf(error) ?? '');
      if (!taken || !(error instanceof Error)) throw error;
      throw new CommandError(
        `${error.message}: choose another --metrics-bind-address or --health-probe-bind-address`,
        {
          cause: error,
        },
      );
    }
    logger.info('stopped');
    return EXIT.done;
  },
});

/**
 * Aborted by the first signal to stop; a second one ends the process at once. It is not left to what a signal does by default:
 * to the first process of a container that is nothing (pid_namespaces(7)).
 */
function firstSignal(io: Io): AbortSignal {
  const stop = new AbortController();
  io.onSignals(['SIGTERM', 'SIGINT'], (signal) => {
    if (stop.signal.aborted) io.exit(128 + constants.signals[signal]);
    else stop.abort(signal);
  });
  return stop.signal;
}
