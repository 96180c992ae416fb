// Owns what a user's message becomes for claude: text, images as base64, files and skills as claude writes them.

import { type ImageType, type InputImage, readInputImage } from '@heddle/bridge-kit';
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
  const texts: string[] = [];
  const images: ContentBlock[] = [];
  const skills: string[] = [];
  for (const input of inputs) {
    switch (input.type) {
      case 'text':
        texts.push(input.text);
        break;
      case 'image':
      case 'localImage':
        images.push(imageBlock(await readInputImage(input, { cwd, maxBytes: MAX_IMAGE_BYTES, agent: 'claude' })));
        break;
      case 'mention':
        texts.push(mentionOf(input.path));
        break;
      case 'skill':
        skills.push(input.name);
        break;
    }
  }
  const [skill, ...others] = skills;
  const words = [...texts, ...others.map((name) => `Use the skill ${name} too.`)].join('\n');
  const text = skill === undefined ? words : `/${skill} ${words}`.trimEnd();
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
