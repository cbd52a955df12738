/** Milliseconds of Unix time that never run backwards or jump, whatever happens to the system's clock meanwhile. */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
