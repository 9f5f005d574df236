// Reads a List method page by page, up to a limit; beyond it the answer says so and the screen asks to narrow the filter.
interface Page {
  nextPageToken: string;
}

export interface Listing<T> {
  items: T[];
  // More exist than were read.
  truncated: boolean;
}

// Pages of 1000 are the server's maximum.
export const pageSizeMax = 1000;
export const listingMax = 5000;

export async function readPages<P extends Page, T>(
  call: (pageToken: string) => Promise<P>,
  itemsOf: (page: P) => T[],
  max = listingMax,
): Promise<Listing<T>> {
  const items: T[] = [];
  let pageToken = '';
  do {
    const page = await call(pageToken);
    items.push(...itemsOf(page));
    pageToken = page.nextPageToken;
  } while (pageToken && items.length < max);
  return { items: items.slice(0, max), truncated: pageToken !== '' || items.length > max };
}
