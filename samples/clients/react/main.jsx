import { createRoot } from "react-dom/client";
import { Chat } from "./Chat.jsx";

const key = new URLSearchParams(location.hash.slice(1)).get("key");
createRoot(document.getElementById("root")).render(<Chat apiKey={key} />);
