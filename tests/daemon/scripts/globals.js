// State in global variables, declared and not.
var count = 0;
var table = { fixed: 1 };
function decodeUplink() {
  count++;
  table = { fixed: 2 };
  leaked = typeof leaked === "undefined" ? 1 : leaked + 1;
  return { data: { count: count, leaked: leaked, fixed: table.fixed } };
}
