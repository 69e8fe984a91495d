// A zero in a column of counts: a dot to the eye, so that what is not zero stands out; "0" to a screen reader.
export function Zero() {
  return (
    <span className="zero">
      <span aria-hidden="true">·</span>
      <span className="visually-hidden">0</span>
    </span>
  );
}
