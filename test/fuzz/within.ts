// A promise that must settle: in a fuzz test a hang is a failure, and it has to be told which one hung.

const HANG_MS = 10_000;

/** @throws Error when `promise` has not settled after ten seconds. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs: ${what}`)), HANG_MS);
  });
  try {
    return await Promise.race([promise, hang]);
  } finally {
    clearTimeout(timer);
  }
}
