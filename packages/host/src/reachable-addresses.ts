// Owns the guess at which addresses of this computer a phone can dial, best first. It only looks; nothing is sent.

import { BlockList, isIP } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

export interface ListeningAt {
  /** IP addresses listened on; `0.0.0.0` and `::` stand for all of their family (libp2p listens on `::` for IPv6 only). */
  listen: readonly string[];
  port: number;
  /** Multiaddrs that the user has named. */
  announce: readonly string[];
}

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Bridges and cards of containers and virtual machines; `br-…` is Docker's, a plain `br0` is a real network. */
const VIRTUAL_INTERFACE =
  /^(docker|br-|veth|virbr|vmnet|vmenet|vboxnet|lxcbr|lxdbr|incusbr|podman|cni|flannel|cali|kube|vnet\d|bridge\d|vnic|vEthernet|VirtualBox|VMware)/i;
const TUNNEL_INTERFACE = /^(utun|tun|wg|ppp|ipsec|zt|tailscale|nordlynx|proton)/i;

const privateRanges = new BlockList();
privateRanges.addSubnet('10.0.0.0', 8);
privateRanges.addSubnet('172.16.0.0', 12);
privateRanges.addSubnet('192.168.0.0', 16);
privateRanges.addSubnet('fc00::', 7, 'ipv6');
/** RFC 6598; in practice a Tailscale address, or one behind a provider's NAT. */
const sharedRange = new BlockList();
sharedRange.addSubnet('100.64.0.0', 10);
const loopbackRanges = new BlockList();
loopbackRanges.addSubnet('127.0.0.0', 8);
loopbackRanges.addAddress('::1', 'ipv6');
/** Only valid together with an interface of the dialling side. */
const linkLocalRanges = new BlockList();
linkLocalRanges.addSubnet('169.254.0.0', 16);
linkLocalRanges.addSubnet('fe80::', 10, 'ipv6');

/** From best to worst. */
const ranks = ['lan4', 'public4', 'tunnel4', 'public6', 'private6', 'virtual', 'loopback'] as const;
type Rank = (typeof ranks)[number];

/**
 * Multiaddrs (`/ip4/192.168.1.5/tcp/41234`) that a phone may reach, best first: announced ones, the local network,
 * public IPv4, tunnels, IPv6, container bridges. Link-local addresses are left out; loopback comes only when there
 * is no other.
 */
export function reachableAddresses(at: ListeningAt, interfaces: Interfaces = networkInterfaces()): string[] {
  const found = listenedOn(at.listen, interfaces)
    .filter(({ ip }) => !isIn(linkLocalRanges, ip))
    .map(({ ip, interfaceName }) => ({ ip, rank: ranks.indexOf(rankOf(ip, interfaceName)) }))
    .toSorted((a, b) => a.rank - b.rank);
  const isLoopback = ({ rank }: { rank: number }) => ranks[rank] === 'loopback';
  const usable = found.every(isLoopback) ? found : found.filter((address) => !isLoopback(address));
  const own = usable.map(({ ip }) => `/${isIP(ip) === 6 ? 'ip6' : 'ip4'}/${ip}/tcp/${at.port}`);
  return [...new Set([...at.announce, ...own])];
}

function listenedOn(listen: readonly string[], interfaces: Interfaces): { ip: string; interfaceName: string }[] {
  const all = Object.entries(interfaces).flatMap(([interfaceName, infos]) =>
    (infos ?? []).map(({ address }) => ({ ip: address, interfaceName })),
  );
  return listen.flatMap((ip) => {
    if (ip === '0.0.0.0')
      return orLoopback(
        all.filter((entry) => isIP(entry.ip) === 4),
        '127.0.0.1',
      );
    if (ip === '::')
      return orLoopback(
        all.filter((entry) => isIP(entry.ip) === 6),
        '::1',
      );
    return [{ ip, interfaceName: all.find((entry) => entry.ip === ip)?.interfaceName ?? '' }];
  });
}

/** A sandbox may hide its interfaces; the address that always is there is better than none. */
function orLoopback(entries: { ip: string; interfaceName: string }[], loopback: string) {
  return entries.length > 0 ? entries : [{ ip: loopback, interfaceName: '' }];
}

function rankOf(ip: string, interfaceName: string): Rank {
  if (isIn(loopbackRanges, ip)) return 'loopback';
  if (VIRTUAL_INTERFACE.test(interfaceName)) return 'virtual';
  if (isIP(ip) === 6) return isIn(privateRanges, ip) ? 'private6' : 'public6';
  if (TUNNEL_INTERFACE.test(interfaceName) || isIn(sharedRange, ip)) return 'tunnel4';
  return isIn(privateRanges, ip) ? 'lan4' : 'public4';
}

function isIn(ranges: BlockList, ip: string): boolean {
  return ranges.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}
