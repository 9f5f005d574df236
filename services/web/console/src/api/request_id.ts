// request_id of mutations: made before the first try and kept for every try of the same content, so that a repeated call is
// done once. Other content needs another id, or the server answers REQUEST_ID_REUSED.
import { useRef } from 'react';

export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Answers the id for a content: the same while the content stays the same and done() was not called.
export class RequestIds {
  private content = '';
  private id = '';

  idFor(content: unknown): string {
    const text = JSON.stringify(content);
    if (!this.id || text !== this.content) {
      this.content = text;
      this.id = newRequestId();
    }
    return this.id;
  }

  done(): void {
    this.id = '';
  }
}

export function useRequestIds(): RequestIds {
  const ref = useRef<RequestIds>(null);
  ref.current ??= new RequestIds();
  return ref.current;
}
