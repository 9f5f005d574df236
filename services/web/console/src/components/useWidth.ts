// How wide an element is, kept up to date: what is drawn in it keeps its text at its size.
import { useLayoutEffect, useRef, useState, type RefObject } from 'react';

export function useWidth<E extends Element>(atFirst: number): [RefObject<E | null>, number] {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(atFirst);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = () => setWidth((old) => Math.round(element.getBoundingClientRect().width) || old);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
