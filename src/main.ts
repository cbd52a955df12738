#!/usr/bin/env node
import { basename } from 'node:path';
import process from 'node:process';
import { isatty } from 'node:tty';
import { crashReport } from './cli/crash.ts';
import { dispatch } from './cli/dispatch.ts';
import type { Io, Output } from './cli/io.ts';

/** The oldest major version that what we import runs on; without this check it would be a stack trace. */
const NODE = 24;

/** A reader that went away (`| head`) is no error; a full disk is. */
function outputOf(stream: typeof process.stdout | typeof process.stderr): Output {
  let broken = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    broken = true;
    if (error.code === 'EPIPE') return;
    process.exitCode = 1;
    if (stream.fd === 1) process.stderr.write(`truss-secrets: writing the output: ${error.message}\n`);
  });
  const isTerminal = isatty(stream.fd);
  const { NO_COLOR, TERM } = process.env;
  return {
    isTerminal,
    colour: isTerminal && !NO_COLOR && TERM !== 'dumb',
    write: (chunk) => {
      if (!broken) stream.write(chunk);
    },
  };
}

// Node itself would print the message of the error, and whatever hangs on it
process.on('uncaughtException', (error) => {
  process.stderr.write(`truss-secrets crashed; this is a bug. ${crashReport(error)}\n`);
  process.exit(1);
});

const io: Io = {
  program: basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl truss-secrets' : 'truss-secrets',
  get stdin() {
    return process.stdin;
  },
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  env: process.env,
  now: () => new Date(),
  onSignals: (signals, listener) => {
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
  onExit: (listener) => void process.on('exit', listener),
  exit: (code) => process.exit(code),
};

if (Number.parseInt(process.versions.node, 10) < NODE) {
  process.stderr.write(`truss-secrets needs Node ${NODE} or newer, and this is ${process.version}\n`);
  process.exitCode = 1;
} else {
  const code = await dispatch(io, process.argv.slice(2));
  process.exitCode ??= code;
}
