// Every agent that heddle can drive.
export {};
