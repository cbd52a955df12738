/** Below this V8 copies a slice; above it a slice keeps the string that it was cut from alive. */
const COPIED_LENGTH = 13;

/** The same string, without the config.yaml that it was cut out of: names stay in memory, texts should not. */
export const detach = (text: string): string => (text.length < COPIED_LENGTH ? text : structuredClone(text));
