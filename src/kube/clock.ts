/** Read once: to ask `performance` for it costs more than for the time. */
const ORIGIN = performance.timeOrigin;

/** Milliseconds of Unix time that never run backwards or jump, whatever happens to the system's clock meanwhile. */
export const steadyNow = (): number => ORIGIN + performance.now();
