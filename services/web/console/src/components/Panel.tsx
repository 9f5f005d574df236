// A titled box, and the head of a page.
import type { ReactNode } from 'react';

interface PanelProps {
  title: ReactNode;
  extra?: ReactNode;
  className?: string;
  // True: the children reach the edges.
  flush?: boolean;
  children: ReactNode;
}

export function Panel({ title, extra, className = '', flush = false, children }: PanelProps) {
  return (
    <section className={`panel ${className}`}>
      <div className="panel-head">
        <h2>{title}</h2>
        {extra}
      </div>
      {flush ? children : <div className="panel-body">{children}</div>}
    </section>
  );
}

export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
