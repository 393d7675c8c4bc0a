// Adds an action from recordings of the main person; index.html calls `recordFrame` with each answer.
"use strict";
const COUNTDOWN = 3, SHORTEST = 0.4, MOST = 10, WANTED = 3;  // seconds, seconds, recordings, recordings
let recordings = [], recording = null, countdown = null;  // recording: {person, frames}; frames as the API takes them
let unsaved = false;

function showRecordings() {
  const busy = recording || countdown;
  $("record").disabled = !running || !busy && recordings.length >= MOST;
  $("record").textContent = recording ? "Stop recording" : countdown ? "Cancel" : "Record";
  $("add").disabled = !recordings.length || !$("label").value.trim() || Boolean(busy) || $("add").dataset.busy === "1";
  $("recorded").replaceChildren(...recordings.map((frames, number) => {
    const item = document.createElement("li"), canvas = document.createElement("canvas"), drop = document.createElement("button");
    const seconds = (frames.at(-1).timestamp - frames[0].timestamp).toFixed(1);
    drop.textContent = "×"; drop.setAttribute("aria-label", `Delete recording ${number + 1}`);
    drop.onclick = () => { recordings.splice(number, 1); showRecordings(); $("record").focus(); };
    canvas.setAttribute("aria-label", `Recording ${number + 1}, ${seconds} s`);
    item.append(canvas, Object.assign(document.createElement("small"), {textContent: `${seconds} s`}), drop);
    drawTile(canvas, frames);
    return item;
  }));
  const left = WANTED - recordings.length;
  $("hint").textContent = !running ? "Start the camera or a video first."
    : left > 0 ? `Record it ${left} more time${left > 1 ? "s" : ""}, from its beginning to its end, then name it.`
    : "Name it and add it. More recordings help, also from other sides.";
}

// The skeleton at the beginning (faint), the middle and the end of a recording.
function drawTile(canvas, frames) {
  const seen = frames.filter(frame => frame.keypoints), pen = canvas.getContext("2d");
  canvas.width = 132; canvas.height = 132;
  const points = seen.flatMap(frame => frame.keypoints.filter(point => point[2] > 0));
  const xs = points.map(point => point[0]), ys = points.map(point => point[1]);
  const left = Math.min(...xs), top = Math.min(...ys), w = Math.max(...xs) - left, h = Math.max(...ys) - top;
  const scale = 112 / Math.max(w, h, 1), x = point => 66 + (point[0] - left - w / 2) * scale, y = point => 66 + (point[1] - top - h / 2) * scale;
  const style = getComputedStyle(document.body);
  [0, 0.25, 0.5, 0.75, 1].forEach((share, i) => {
    const {keypoints} = seen[Math.round(share * (seen.length - 1))];
    pen.strokeStyle = i === 2 ? style.getPropertyValue("--accent") : style.color;
    pen.globalAlpha = i === 2 ? 1 : 0.25; pen.lineWidth = i === 2 ? 4 : 2; pen.lineCap = "round";
    for (const [a, b] of model.bones) {
      const p = keypoints[a], q = keypoints[b];
      if (!p[2] || !q[2]) continue;
      pen.beginPath(); pen.moveTo(x(p), y(p)); pen.lineTo(x(q), y(q)); pen.stroke();
    }
  });
}

function showCount(text) { $("count").textContent = text; $("count").hidden = !text; }

function record() {
  if (recording) { endRecording(); return; }
  if (countdown) { clearInterval(countdown); countdown = null; showCount(""); showRecordings(); return; }
  let left = COUNTDOWN;
  showCount(left);
  countdown = setInterval(() => {
    left -= 1;
    showCount(left || "");
    if (left) return;
    clearInterval(countdown); countdown = null;
    recording = {person: null, frames: []};
    showRecordings();
  }, 1000);
  showRecordings();
}

function recordFrame(time, main, people) {
  if (!recording) return;
  recording.person ??= main?.person ?? null;  // from then on the same person
  const each = people.find(each => each.person === recording.person);
  recording.frames.push({timestamp: time, keypoints: each ? each.keypoints : null});
  const seconds = time - recording.frames[0].timestamp;
  showCount(`● ${seconds.toFixed(1)} s`);
  if (seconds >= Number($("seconds").value)) endRecording();
}

function endRecording() {
  const {frames} = recording, seconds = frames.length ? frames.at(-1).timestamp - frames[0].timestamp : 0;
  const seen = frames.filter(frame => frame.keypoints).length;
  recording = null;
  showCount("");
  if (seconds < SHORTEST) say("That was too short. Record the whole action.", true);
  else if (seen < frames.length / 2) say("Nobody was seen in most of that recording. Step back until all of you is in the picture.", true);
  else { recordings.push(frames); say(running ? "Live." : "Stopped."); }
  showRecordings();
}

function cancelRecording() {
  clearInterval(countdown); countdown = null;
  if (recording) endRecording();
  showCount("");
  showRecordings();
}

async function ask(method, path, body) {
  const headers = token ? {Authorization: `Bearer ${token}`} : {};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {method, headers, body: body && JSON.stringify(body)}).catch(() => null);
  const content = await answer?.json().catch(() => null);
  if (!answer?.ok) throw new Error(content?.error ?? "The server cannot be reached.");
  return content;
}

async function add() {
  const label = $("label").value.trim();
  $("add").dataset.busy = "1"; showRecordings();
  say(`Learning "${label}". The first action takes up to a minute.`);
  try {
    const made = await ask("POST", "v1/enrolled", {label, clips: recordings});
    recordings = []; $("label").value = "";
    await changed();
    say(made.warning ?? `"${label}" is added. Do it, and it is recognised towards its end.`, Boolean(made.warning));
  } catch (error) { say(error.message, true); }
  $("add").dataset.busy = ""; showRecordings();
}

// The classes have changed: a new stream has them, and the picture goes on.
async function changed() {
  unsaved = true;
  cancelRecording();
  await load();
  if (running) connect();
}

function showEnrolled() {
  $("enrolment").hidden = !model.can_enroll || !model.takes_pictures;
  $("enrolled").replaceChildren(...model.enrolled.map(label => {
    const item = document.createElement("li"), drop = document.createElement("button");
    drop.textContent = "×"; drop.setAttribute("aria-label", `Remove ${label}`);
    drop.onclick = async () => {
      try { await ask("DELETE", `v1/enrolled/${encodeURIComponent(label)}`); await changed(); say(`"${label}" is removed.`); }
      catch (error) { say(error.message, true); }
    };
    item.append(label, drop);
    return item;
  }));
  $("save").hidden = !unsaved && !model.enrolled.length;
  showRecordings();
}

$("record").onclick = record;
$("label").oninput = showRecordings;
$("new-action").onsubmit = event => { event.preventDefault(); if (!$("add").disabled) add(); };
$("save").onclick = async () => {
  try { say(`Saved in ${(await ask("POST", "v1/enrolled/save")).folder}, for the next start of the server.`); unsaved = false; }
  catch (error) { say(error.message, true); }
};
