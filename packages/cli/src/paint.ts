// Owns colours: only on a terminal, never against NO_COLOR (no-color.org).

import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** Gives the text back in a style, or as it is where there are no colours. */
export type Paint = (style: Style, text: string) => string;

export const noPaint: Paint = (_style, text) => text;
const paint: Paint = (style, text) => (text === '' ? '' : styleText(style, text, { validateStream: false }));

export function hasColours(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

export function createPaint(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  return hasColours(stream, env) ? paint : noPaint;
}
