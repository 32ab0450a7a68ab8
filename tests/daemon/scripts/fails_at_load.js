// Broken when it is loaded, on line 3.
var limit = 5;
limit.missing.value = 1;
function decodeUplink() {
  return { data: {} };
}
