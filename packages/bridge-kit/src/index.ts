// What every bridge shares.

export type { Availability, Bridge, BridgeCapabilities, BridgeContext } from './bridge.ts';
export { type ChildProcess, type ChildProcessOptions, type Exit, signalGroup, startChildProcess } from './child-process.ts';
export { type Program, ProgramFinder } from './program.ts';
