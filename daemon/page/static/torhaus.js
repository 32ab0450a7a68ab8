// Keeps the page as it is now. Without it all works, one has to reload.
const main = document.getElementById("main");
const live = document.getElementById("live");
const made = document.getElementById("made");
const MOST_ROWS = 300;
const STREAM_RETRY_MS = 15000;

/** Whether somebody is at something in there which an exchange would take away. */
function isBusy() {
  const active = document.activeElement;
  const typing = active && main.contains(active) && active.matches("input, textarea, select");
  const chosen = String(document.getSelection() || "").length > 0;
  return typing || chosen || document.hidden;
}

function say(text, isStale) {
  live.textContent = text;
  live.classList.toggle("stale", Boolean(isStale));
}

async function lookAgain() {
  if (isBusy()) return;
  const answer = await fetch(location.href, {
    headers: { "X-Torhaus-Part": "main" },
    cache: "no-store",
    redirect: "error",
  });
  if (answer.status === 401) {
    location.reload();
    return;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const text = await answer.text();
  if (isBusy()) return;
  const wide = [...main.querySelectorAll(".wide")].map((box) => box.scrollLeft);
  const focused = main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  main.innerHTML = text;
  main.querySelectorAll(".wide").forEach((box, i) => { box.scrollLeft = wide[i] || 0; });
  if (focused) {
    const same = [...main.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused);
    if (same) same.focus({ preventScroll: true });
  }
  const time = made.querySelector("time");
  if (time) time.textContent = new Date().toLocaleTimeString(document.documentElement.lang);
  say("");
}

function keepLooking(seconds) {
  let pause = seconds;
  const next = async () => {
    try {
      await lookAgain();
      pause = seconds;
    } catch {
      say(main.dataset.stale, true);
      pause = Math.min(pause * 2, 60);
    }
    setTimeout(next, pause * 1000);
  };
  setTimeout(next, pause * 1000);
}

/** Frames as they come; when no more may watch, the page is looked at anew like any other. */
function watch() {
  const address = new URL(location.href);
  address.searchParams.set("stream", "1");
  const source = new EventSource(address);
  source.onmessage = (event) => {
    const body = main.querySelector("#frames tbody");
    if (!body) {
      location.reload();
      return;
    }
    const holder = document.createElement("template");
    holder.innerHTML = JSON.parse(event.data);
    const row = holder.content.querySelector("tr");
    if (!row || document.getSelection().toString()) return;
    row.classList.add("new");
    body.prepend(row);
    while (body.rows.length > MOST_ROWS) body.deleteRow(-1);
    say("");
  };
  source.onerror = () => {
    say(main.dataset.stale, true);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), STREAM_RETRY_MS);
  };
  source.onopen = () => say("");
}

if (main.querySelector("[data-stream]")) watch();
else if (main.dataset.refresh) keepLooking(Number(main.dataset.refresh));
