// Owns the rate limits of an agent that has none to tell about.

/** A snapshot without windows or credits. Every field of codex 0.169 is there. */
export const noRateLimits = {
  limitId: null,
  limitName: null,
  normalModelSlug: null,
  primary: null,
  secondary: null,
  credits: null,
  individualLimit: null,
  spendControlReached: null,
  planType: null,
  rateLimitReachedType: null,
} as const;
