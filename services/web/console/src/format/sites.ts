// Places by their full name: that of every place above, then their own.
import type { Site } from '@/gen/voltwell/registry/v1/site_pb';

export function siteNames(sites: readonly Site[]): Map<string, string> {
  const byName = new Map(sites.map((site) => [site.name, site]));
  const full = new Map<string, string>();
  for (const site of sites) {
    const parts: string[] = [];
    // A tree is no deeper than its number of places: a loop in bad data ends too.
    for (let at: Site | undefined = site, depth = 0; at && depth <= sites.length; at = byName.get(at.parent), depth += 1) {
      parts.unshift(at.displayName);
    }
    full.set(site.name, parts.join(' / '));
  }
  return full;
}
