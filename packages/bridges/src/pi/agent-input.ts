// Owns what a user's message becomes for pi: text, and images as base64.

import { type InputImage, messageWords, readInputImage, withSkill } from '@heddle/bridge-kit';
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
  const words = messageWords(inputs, (path) => `@${path}`);
  const images: PiWords['images'] = [];
  for (const image of words.images) {
    const { base64, mediaType } = await readInputImage(image, { cwd, maxBytes: MAX_IMAGE_BYTES, agent: 'pi' });
    images.push({ type: 'image', data: base64, mimeType: mediaType });
  }
  return { message: withSkill(words), images };
}
