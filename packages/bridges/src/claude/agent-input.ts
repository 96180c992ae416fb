// Owns what a user's message becomes for claude: text, images as base64, files and skills as claude writes them.

import { type ImageType, type InputImage, messageWords, readInputImage, withSkill } from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';

/** The API takes no larger image. Bytes of the image itself. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;

export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'image'; source: { type: 'base64'; media_type: ImageType; data: string } };

/**
 * The content of a user message: plain text when there is no image, since only then claude sees a slash command.
 * @param cwd what the paths of local images are relative to
 * @throws TurnFailure `badRequest` when an image is missing, too large or of a kind that claude does not know.
 */
export async function contentOf(inputs: readonly UserInput[], cwd: string): Promise<string | ContentBlock[]> {
  const words = messageWords(inputs, mentionOf);
  const text = withSkill(words);
  const images: ContentBlock[] = [];
  for (const image of words.images)
    images.push(imageBlock(await readInputImage(image, { cwd, maxBytes: MAX_IMAGE_BYTES, agent: 'claude' })));
  if (images.length === 0) return text;
  return text === '' ? images : [{ type: 'text', text }, ...images];
}

/** claude reads a file that is mentioned like this by itself. */
function mentionOf(path: string): string {
  return /\s/.test(path) ? `@"${path}"` : `@${path}`;
}

function imageBlock({ mediaType, base64 }: InputImage): ContentBlock {
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: base64 } };
}
