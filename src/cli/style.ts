import { styleText } from 'node:util';
import type { Output } from './io.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Colour only where the output wants it. */
export const styled = (output: Output, style: Style, text: string): string =>
  output.colour ? styleText(style, text, { validateStream: false }) : text;
