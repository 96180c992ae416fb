// What every bridge shares.

export type { Availability, Bridge, BridgeCapabilities, BridgeContext } from './bridge.ts';
