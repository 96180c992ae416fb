// Owns what a user's message becomes for pi: text, and images as base64.

import { type InputImage, readInputImage } from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';

/** pi makes larger ones smaller, but it has to hold them meanwhile. Bytes of the image itself. */
const MAX_IMAGE_BYTES = 10 * 1024 * 1024;

export interface PiWords {
  message: string;
  images: { type: 'image'; data: string; mimeType: InputImage['mediaType'] }[];
}

/**
 * @param cwd what the paths of local images are relative to
 * @throws TurnFailure `badRequest` when an image is missing, too large or of a kind that models do not know.
 */
export async function wordsOf(inputs: readonly UserInput[], cwd: string): Promise<PiWords> {
  const texts: string[] = [];
  const images: PiWords['images'] = [];
  const skills: string[] = [];
  for (const input of inputs) {
    switch (input.type) {
      case 'text':
        texts.push(input.text);
        break;
      case 'image':
      case 'localImage': {
        const { base64, mediaType } = await readInputImage(input, { cwd, maxBytes: MAX_IMAGE_BYTES, agent: 'pi' });
        images.push({ type: 'image', data: base64, mimeType: mediaType });
        break;
      }
      case 'mention':
        texts.push(`@${input.path}`);
        break;
      case 'skill':
        skills.push(input.name);
        break;
    }
  }
  const [skill, ...others] = skills;
  const words = [...texts, ...others.map((name) => `Use /${name} too.`)].join('\n');
  // Only what stands at the begin is a command to pi.
  return { message: skill === undefined ? words : `/${skill} ${words}`.trimEnd(), images };
}
