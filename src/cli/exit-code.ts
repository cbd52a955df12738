/** Exit codes of every command (DESIGN.md section 7); only `run` passes on others, those of its child. */
export const EXIT = { done: 0, failed: 1, usage: 2, differences: 3 } as const;

export type ExitCode = number;
