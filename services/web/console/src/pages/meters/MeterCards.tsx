// Meters as cards, for narrow screens.
import { CollectorState, KindText, ReadAge, RowAction, Total, type MeterListProps } from './MeterTable';

export function MeterCards({ rows, readings, open }: MeterListProps) {
  return (
    <div className="cards">
      {rows.map((row) => {
        const answered = readings.get(row.meter.name);
        return (
          <div key={row.meter.name} className="card-row link" onClick={() => open(row.meter.name)}>
            <div className="card-line">
              <button type="button" className="link-button cell-main">
                {row.meter.displayName}
              </button>
              <span className="cell-main">
                <Total meter={row.meter} answered={answered} />
              </span>
            </div>
            <div className="card-line cell-sub">
              <span>
                <KindText meter={row.meter} /> · <span className="mono">{row.meter.address}</span>
              </span>
              <ReadAge meter={row.meter} answered={answered} />
            </div>
            <div className="card-line">
              <CollectorState row={row} />
              <RowAction meter={row.meter} answered={answered} />
            </div>
          </div>
        );
      })}
    </div>
  );
}
