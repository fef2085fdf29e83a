// A .glb that turns: three.js, which is loaded only where there is one.

import { make } from "/page/elements.js";
import * as three from "/page/three.js";

const SPEED = 1.2;
const FIT = 0.9;
const GRID = 0x9aa3ad;
const COMPRESSED = "it is compressed in a way that this page cannot read. Download it instead.";
const NO_WEBGL = "this browser has no WebGL. Download it instead.";

export class Viewer {
  /** Show a model in a place. Throws Error with words for a person. */
  static async open(place, bytes, name) {
    const manager = new three.GLTFLoader();
    // Only what the file holds itself is loaded.
    manager.manager.setURLModifier((url) => (/^(blob|data):/.test(url) ? url : "data:,"));
    let model;
    try {
      model = (await manager.parseAsync(bytes, "")).scene;
    } catch (problem) {
      throw new Error(/DRACO|Meshopt|KTX2|setMeshopt|setDRACO/i.test(problem.message) ? COMPRESSED : `it is damaged (${problem.message.replace("THREE.GLTFLoader: ", "").replace(/\.$/, "")}).`);
    }
    return new Viewer(place, model, name);
  }

  constructor(place, model, name) {
    const canvas = make("canvas", { tabIndex: 0 });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `3D view of ${name}. Drag or use the arrow keys to turn it.`);
    try {
      this.renderer = new three.WebGLRenderer({ canvas, antialias: true, alpha: true });
    } catch {
      throw new Error(NO_WEBGL);
    }
    Object.assign(this, { place, model, canvas });
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.scene = new three.Scene();
    this.room = new three.RoomEnvironment();
    this.generator = new three.PMREMGenerator(this.renderer);
    this.scene.environment = this.generator.fromScene(this.room, 0.04).texture;
    this.renderer.toneMapping = three.NeutralToneMapping;
    this.scene.add(model);
    place.replaceChildren(canvas, make("p", { className: "quiet", textContent: this.about() }));
    this.frame();
    this.drawing = 0;
    this.watched = new ResizeObserver(() => this.resize());
    this.watched.observe(canvas);
    this.resize();
  }

  about() {
    let triangles = 0;
    const materials = new Set();
    this.model.traverse((part) => {
      if (!part.isMesh) return;
      const { index, attributes } = part.geometry;
      triangles += Math.floor((index ? index.count : (attributes.position?.count ?? 0)) / 3);
      for (const material of [part.material].flat()) materials.add(material);
    });
    const size = new three.Box3().setFromObject(this.model).getSize(new three.Vector3());
    const metres = size.toArray().map((side) => side.toLocaleString([], { maximumSignificantDigits: 3 }));
    return `${triangles.toLocaleString()} triangles · ${materials.size} ${materials.size === 1 ? "material" : "materials"} · ${metres.join(" × ")} m`;
  }

  /** Have all of it in sight, and turn around its middle. */
  frame() {
    const box = new three.Box3().setFromObject(this.model);
    const middle = box.isEmpty() ? new three.Vector3() : box.getCenter(new three.Vector3());
    const radius = Math.max(box.isEmpty() ? 1 : box.getSize(new three.Vector3()).length() / 2, 1e-6);
    this.camera = new three.PerspectiveCamera(40, 1, radius / 100, radius * 100);
    const floor = new three.GridHelper(radius * 4, 20, GRID, GRID);
    floor.position.set(middle.x, box.isEmpty() ? 0 : box.min.y, middle.z);
    floor.material.transparent = true;
    floor.material.opacity = 0.35;
    this.scene.add(floor);
    const distance = (radius * FIT) / Math.sin((20 * Math.PI) / 180);
    this.camera.position.copy(middle).add(new three.Vector3(0.7, 0.45, 1).setLength(distance));
    this.controls = new three.OrbitControls(this.camera, this.canvas);
    this.controls.target.copy(middle);
    this.controls.autoRotateSpeed = SPEED;
    this.controls.autoRotate = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.controls.addEventListener("start", () => (this.controls.autoRotate = false));
    this.controls.addEventListener("change", () => this.draw());
    this.canvas.addEventListener("keydown", (pressed) => this.turn(pressed));
    this.controls.update();
  }

  turn(pressed) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[pressed.key];
    if (!by) return;
    pressed.preventDefault();
    this.controls.autoRotate = false;
    const offset = this.camera.position.clone().sub(this.controls.target);
    const angle = Math.PI / 18;
    offset.applyAxisAngle(new three.Vector3(0, 1, 0), by[0] * angle);
    const side = new three.Vector3().crossVectors(new three.Vector3(0, 1, 0), offset).normalize();
    offset.applyAxisAngle(side, by[1] * angle);
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.draw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  draw() {
    this.drawing ||= requestAnimationFrame(() => {
      this.drawing = 0;
      if (!this.renderer) return;
      this.renderer.render(this.scene, this.camera);
      this.canvas.dataset.drawn = "yes";
      if (this.controls.autoRotate) this.controls.update(); // which asks for the next frame
    });
  }

  end() {
    cancelAnimationFrame(this.drawing);
    this.watched.disconnect();
    this.controls.dispose();
    this.model.traverse((part) => {
      part.geometry?.dispose();
      for (const material of [part.material ?? []].flat()) material.dispose();
    });
    this.room.dispose();
    this.generator.dispose();
    this.renderer.dispose();
    this.renderer = null;
    this.place.replaceChildren();
  }
}
