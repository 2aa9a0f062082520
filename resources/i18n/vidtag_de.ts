<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
 <context>
  <name>VidTAG</name>
  <message>
   <source>'Check' starts the engine and tells what is installed, which device is used and which weights are there.</source>
   <translation>„Prüfen“ startet die Engine und sagt, was installiert ist, welches Gerät rechnet und welche Gewichte da sind.</translation>
  </message>
  <message>
   <source>'Dask scheduler' in the options</source>
   <translation>„Dask-Scheduler“ in den Optionen</translation>
  </message>
  <message>
   <source>'Work offline' in the options</source>
   <translation>„Offline arbeiten“ in den Optionen</translation>
  </message>
  <message>
   <source>'{title}' takes the folder as 'Address of the source', and {address} is no folder: give one.</source>
   <translation>„{title}“ nimmt den Ordner als „Adresse der Quelle“, und {address} ist kein Ordner: Geben Sie einen an.</translation>
  </message>
  <message>
   <source>'{title}' takes the folder as 'Address of the source': give one.</source>
   <translation>„{title}“ nimmt den Ordner als „Adresse der Quelle“: Geben Sie einen an.</translation>
  </message>
  <message>
   <source>, mean confidence {share:.0%}</source>
   <translation>, mittlere Konfidenz {share:.0%}</translation>
  </message>
  <message>
   <source>1 finished video is in {output}, a temporary file: copy it before you close QGIS ({problem}).</source>
   <translation>1 fertiges Video liegt in {output}, einer temporären Datei: Kopieren Sie sie, bevor Sie QGIS schließen ({problem}).</translation>
  </message>
  <message>
   <source>1 finished video is kept in {place}</source>
   <translation>1 fertiges Video liegt in {place}</translation>
  </message>
  <message>
   <source>1 finished video is kept in {results}, {merged} of them so far in {file}: run again with 'Go on from an existing result' (RESUME=true).</source>
   <translation>1 fertiges Video liegt in {results}, davon bisher {merged} in {file}: Starten Sie noch einmal mit „Vorhandenes Ergebnis fortsetzen“ (RESUME=true).</translation>
  </message>
  <message>
   <source>90th percentile of the error (m)</source>
   <translation>90. Perzentil des Fehlers (m)</translation>
  </message>
  <message>
   <source>A GPX, CSV or SRT track, or a video that carries its positions (GoPro, KLV).</source>
   <translation>Ein Track als GPX, CSV oder SRT, oder ein Video, das seine Positionen enthält (GoPro, KLV).</translation>
  </message>
  <message>
   <source>A GeoPackage with a point a candidate place. Left out: points are only counted.</source>
   <translation>Ein GeoPackage mit einem Punkt je möglichem Ort. Weggelassen: Die Punkte werden nur gezählt.</translation>
  </message>
  <message>
   <source>A GeoPackage with the layers 'images' and 'gaps', styled.</source>
   <translation>Ein GeoPackage mit den Layern „images“ und „gaps“, mit Stil.</translation>
  </message>
  <message>
   <source>A GeoTIFF with the probability of each cell; no data outside the area.</source>
   <translation>Ein GeoTIFF mit der Wahrscheinlichkeit jeder Zelle; außerhalb des Gebiets ohne Daten.</translation>
  </message>
  <message>
   <source>A base map shows streets and names under your results. QGIS then fetches pictures from {host}, a server of the OpenStreetMap Foundation, each time that you move the map.

The server learns your computer's address and which part of the map you look at, and so where you search. Nothing of your videos or results is sent.

Add it? You are asked this once.</source>
   <translation>Eine Grundkarte zeigt Straßen und Namen unter Ihren Ergebnissen. QGIS holt dann jedes Mal, wenn Sie die Karte bewegen, Bilder von {host}, einem Server der OpenStreetMap Foundation.

Der Server erfährt die Adresse Ihres Rechners und welchen Teil der Karte Sie ansehen, also auch, wo Sie suchen. Von Ihren Videos oder Ergebnissen wird nichts gesendet.

Hinzufügen? Sie werden nur einmal gefragt.</translation>
  </message>
  <message>
   <source>A copy of the frames as a layer: a point a frame, with its confidence; frames without an answer have no geometry.</source>
   <translation>Eine Kopie der Bilder als Layer: ein Punkt je Bild, mit seiner Konfidenz; Bilder ohne Antwort haben keine Geometrie.</translation>
  </message>
  <message>
   <source>A copy of the regions: where each frame lies with 50 and with 90 %, and the same for the whole video. Several parts are several hypotheses.</source>
   <translation>Eine Kopie der Regionen: wo jedes Bild mit 50 und mit 90 % liegt, und das Gleiche für das ganze Video. Mehrere Teile sind mehrere Hypothesen.</translation>
  </message>
  <message>
   <source>A copy of the result with what was solved from the pins; these go to a review file beside it.</source>
   <translation>Eine Kopie des Ergebnisses mit dem, was aus den Pins gelöst wurde; diese kommen in eine Beurteilungsdatei daneben.</translation>
  </message>
  <message>
   <source>A copy of the trajectory as a layer: a line from each located frame to the next, with both confidences and the speed.</source>
   <translation>Eine Kopie der Trajektorie als Layer: eine Linie von jedem verorteten Bild zum nächsten, mit beiden Konfidenzen und der Geschwindigkeit.</translation>
  </message>
  <message>
   <source>A database that 'Build reference database' has made</source>
   <translation>Eine Datenbank, die „Referenzdatenbank erstellen“ gemacht hat</translation>
  </message>
  <message>
   <source>A database that 'Build reference database' has made. Videos are recognised by its pictures: with the checkpoint geoclip by them alone, with one that was trained by both.</source>
   <translation>Eine Datenbank, die „Referenzdatenbank erstellen“ gemacht hat. Videos werden an ihren Bildern erkannt: mit dem Checkpoint geoclip an ihnen allein, mit einem trainierten durch beides.</translation>
  </message>
  <message>
   <source>A drone does not follow roads: leave out the roads, or choose another top speed.</source>
   <translation>Eine Drohne folgt keinen Straßen: Lassen Sie die Straßen weg, oder wählen Sie eine andere Höchstgeschwindigkeit.</translation>
  </message>
  <message>
   <source>A fault of VidTAG: {kind}: {error}. Please report it.</source>
   <translation>Ein Fehler in VidTAG: {kind}: {error}. Bitte melden Sie ihn.</translation>
  </message>
  <message>
   <source>A fifth to a half</source>
   <translation>Ein Fünftel bis die Hälfte</translation>
  </message>
  <message>
   <source>A folder for a JPEG a located frame. Needs the videos.</source>
   <translation>Ein Ordner für ein JPEG je verortetem Bild. Braucht die Videos.</translation>
  </message>
  <message>
   <source>A folder that 'Train for an area' has written, geoclip for the worldwide model, or none for roads alone</source>
   <translation>Ein Ordner, den „Für ein Gebiet trainieren“ geschrieben hat, geoclip für das weltweite Modell, oder none für Straßen allein</translation>
  </message>
  <message>
   <source>A folder that train-city has written, on the command line; a .safetensors file or a Hub id, too.</source>
   <translation>Ein Ordner, den train-city auf der Kommandozeile geschrieben hat; auch eine .safetensors-Datei oder eine Hub-ID.</translation>
  </message>
  <message>
   <source>A frame's best pictures are looked at again by them, which finds more streets that were driven the same way. XFeat must be installed: 'Check the engine' says how. A database that is there keeps its own.</source>
   <translation>Die besten Bilder zu einem Videobild werden damit noch einmal angesehen. Das findet mehr Straßen, die in derselben Richtung befahren wurden. XFeat muss installiert sein: „Engine prüfen“ sagt, wie. Eine vorhandene Datenbank behält ihre Einstellung.</translation>
  </message>
  <message>
   <source>A frame's best reference images are looked at again by them, which finds more streets that were driven the same way. XFeat must be installed: 'Check the engine' says how.</source>
   <translation>Die besten Referenzbilder zu einem Videobild werden damit noch einmal angesehen. Das findet mehr Straßen, die in derselben Richtung befahren wurden. XFeat muss installiert sein: „Engine prüfen“ sagt, wie.</translation>
  </message>
  <message>
   <source>A frame's confidence is the probability that the truth lies within this of its point. Empty: ten times the resolution.</source>
   <translation>Die Konfidenz eines Bildes ist die Wahrscheinlichkeit, dass der wahre Ort höchstens so weit von seinem Punkt liegt. Leer: das Zehnfache der Rasterweite.</translation>
  </message>
  <message>
   <source>A heat map is of one video or one folder of images: give exactly one of them.</source>
   <translation>Eine Heatmap ist von einem Video oder einem Ordner mit Bildern: Geben Sie genau eines davon an.</translation>
  </message>
  <message>
   <source>A large area is otherwise searched coarse to fine, which nearly always gives the same answer and is far faster.</source>
   <translation>Ein großes Gebiet wird sonst vom Groben zum Feinen durchsucht. Das gibt fast immer dieselbe Antwort und ist weit schneller.</translation>
  </message>
  <message>
   <source>A layer of polygons</source>
   <translation>Ein Layer mit Polygonen</translation>
  </message>
  <message>
   <source>A line a step, along the roads, with the length and speed along them.</source>
   <translation>Eine Linie je Schritt, entlang der Straßen, mit Länge und Geschwindigkeit darauf.</translation>
  </message>
  <message>
   <source>A line a step, as a layer.</source>
   <translation>Eine Linie je Schritt, als Layer.</translation>
  </message>
  <message>
   <source>A line a video for trajectory tools (LineStringZM). M is the time of each vertex in seconds since 1970-01-01 UTC, Z is 0.</source>
   <translation>Eine Linie je Video für Trajektorienwerkzeuge (LineStringZM). M ist die Zeit jedes Stützpunkts in Sekunden seit 1970-01-01 UTC, Z ist 0.</translation>
  </message>
  <message>
   <source>A line from each answer to its truth, with the error in metres and the confidence.</source>
   <translation>Eine Linie von jeder Antwort zum wahren Ort, mit dem Fehler in Metern und der Konfidenz.</translation>
  </message>
  <message>
   <source>A motion track is compared with roads: give a layer under 'Roads', or leave the motion track empty.</source>
   <translation>Ein Bewegungstrack wird mit Straßen verglichen: Geben Sie unter „Straßen“ einen Layer an, oder lassen Sie den Bewegungstrack leer.</translation>
  </message>
  <message>
   <source>A place of the result lies outside {name}: choose another coordinate system.</source>
   <translation>Ein Ort des Ergebnisses liegt außerhalb von {name}: Wählen Sie ein anderes Koordinatenbezugssystem.</translation>
  </message>
  <message>
   <source>A point a frame, as a layer.</source>
   <translation>Ein Punkt je Bild, als Layer.</translation>
  </message>
  <message>
   <source>A row a frame.</source>
   <translation>Eine Zeile je Bild.</translation>
  </message>
  <message>
   <source>A source's older pictures are left out. Empty: none.</source>
   <translation>Ältere Bilder einer Quelle werden weggelassen. Leer: keine.</translation>
  </message>
  <message>
   <source>A source's pictures may have several licences. Otherwise that is refused, as each licence binds all that is made of them.</source>
   <translation>Die Bilder einer Quelle dürfen verschiedene Lizenzen haben. Sonst wird das abgelehnt, weil jede Lizenz für alles gilt, was daraus gemacht wird.</translation>
  </message>
  <message>
   <source>A top speed joins frames that are located together: choose that under 'Frames are located', or leave the top speed empty.</source>
   <translation>Eine Höchstgeschwindigkeit verbindet Bilder, die zusammen verortet werden: Wählen Sie das unter „Bilder werden verortet“, oder lassen Sie die Höchstgeschwindigkeit leer.</translation>
  </message>
  <message>
   <source>A video file, in any format that FFmpeg reads; or, below, a folder of images.</source>
   <translation>Eine Videodatei in jedem Format, das FFmpeg liest; oder, unten, ein Ordner mit Bildern.</translation>
  </message>
  <message>
   <source>A way along roads has a shape where frames are located together: choose that under 'Frames are located', or leave out the roads.</source>
   <translation>Ein Weg auf Straßen hat nur dann eine Form, wenn Bilder zusammen verortet werden: Wählen Sie das unter „Bilder werden verortet“, oder lassen Sie die Straßen weg.</translation>
  </message>
  <message>
   <source>API Header</source>
   <translation>API-Header</translation>
  </message>
  <message>
   <source>Accept</source>
   <translation>Annehmen</translation>
  </message>
  <message>
   <source>Add at least one video: drop it on the list, or choose it.</source>
   <translation>Geben Sie mindestens ein Video: Ziehen Sie es auf die Liste, oder wählen Sie es.</translation>
  </message>
  <message>
   <source>Add base map</source>
   <translation>Grundkarte hinzufügen</translation>
  </message>
  <message>
   <source>Add base map…</source>
   <translation>Grundkarte hinzufügen …</translation>
  </message>
  <message>
   <source>Add folder…</source>
   <translation>Ordner hinzufügen …</translation>
  </message>
  <message>
   <source>Add the layer frames of a result to the map: 'Geolocate video' loads it, and it lies in the GeoPackage.</source>
   <translation>Fügen Sie der Karte den Layer frames eines Ergebnisses hinzu: „Video verorten“ lädt ihn, und er liegt im GeoPackage.</translation>
  </message>
  <message>
   <source>Add videos…</source>
   <translation>Videos hinzufügen …</translation>
  </message>
  <message>
   <source>Address of the source</source>
   <translation>Adresse der Quelle</translation>
  </message>
  <message>
   <source>Adds both layers to the project. A step of a model and qgis_process load none.</source>
   <translation>Fügt beide Layer dem Projekt hinzu. Ein Schritt eines Modells und qgis_process laden keine.</translation>
  </message>
  <message>
   <source>Adds the result's own layers to the project, in a group a video (one group from 9 videos on). A layer that is there already is read anew. A step of a model and qgis_process load none.</source>
   <translation>Fügt die eigenen Layer des Ergebnisses dem Projekt hinzu, in einer Gruppe je Video (ab 9 Videos in einer Gruppe). Ein Layer, der schon da ist, wird neu gelesen. Ein Schritt eines Modells und qgis_process laden keine.</translation>
  </message>
  <message>
   <source>Age not known</source>
   <translation>Alter nicht bekannt</translation>
  </message>
  <message>
   <source>All frames of a video together</source>
   <translation>Alle Bilder eines Videos zusammen</translation>
  </message>
  <message>
   <source>All frames of a video together, as a camera moves; or each frame at its own best place, without regions.</source>
   <translation>Alle Bilder eines Videos zusammen, wie eine Kamera sich bewegt; oder jedes Bild an seinem eigenen besten Ort, ohne Regionen.</translation>
  </message>
  <message>
   <source>All frames of the video together, if the checkpoint can; or each frame by itself.</source>
   <translation>Alle Bilder des Videos zusammen, wenn der Checkpoint das kann; oder jedes Bild für sich.</translation>
  </message>
  <message>
   <source>All frames, 50 %</source>
   <translation>Alle Bilder, 50 %</translation>
  </message>
  <message>
   <source>All frames, 90 %</source>
   <translation>Alle Bilder, 90 %</translation>
  </message>
  <message>
   <source>All guessed places</source>
   <translation>Alle geschätzten Orte</translation>
  </message>
  <message>
   <source>All settings…</source>
   <translation>Alle Einstellungen …</translation>
  </message>
  <message>
   <source>All that was said is written now.</source>
   <translation>Alles, was gesagt wurde, ist jetzt geschrieben.</translation>
  </message>
  <message>
   <source>All videos in this folder and its subfolders, besides those above.</source>
   <translation>Alle Videos in diesem Ordner und seinen Unterordnern, zusätzlich zu denen oben.</translation>
  </message>
  <message>
   <source>Also a frame that shows what the last one showed, as at a red light; such a frame otherwise takes its features.</source>
   <translation>Auch ein Bild, das das Gleiche zeigt wie das letzte, etwa an einer roten Ampel; sonst übernimmt es dessen Merkmale.</translation>
  </message>
  <message>
   <source>Also frames that are not rated</source>
   <translation>Auch nicht bewertete Bilder</translation>
  </message>
  <message>
   <source>Also keeps in the result places and thumbnails of the reference images that are your own, for 'Check frames' and whoever gets the result. Otherwise only those of a platform's openly licensed pictures.</source>
   <translation>Behält im Ergebnis auch Orte und Vorschaubilder Ihrer eigenen Referenzbilder, für „Bilder prüfen“ und für jeden, der das Ergebnis bekommt. Sonst nur die der offen lizenzierten Bilder einer Plattform.</translation>
  </message>
  <message>
   <source>Altered copies</source>
   <translation>Veränderte Kopien</translation>
  </message>
  <message>
   <source>Altered copies of a picture</source>
   <translation>Veränderte Kopien eines Bildes</translation>
  </message>
  <message>
   <source>Always answer</source>
   <translation>Immer antworten</translation>
  </message>
  <message>
   <source>An area has at least three corners that are not on a line: draw it again.</source>
   <translation>Ein Gebiet hat mindestens drei Ecken, die nicht auf einer Linie liegen: Zeichnen Sie es noch einmal.</translation>
  </message>
  <message>
   <source>An area of {area:,.0f} km² at {resolution:g} m makes about {points:,.0f} gallery points; at most {most:,} are possible. Take a resolution of {fitting:,} m or more, or a smaller area.</source>
   <translation>Ein Gebiet von {area:,.0f} km² mit {resolution:g} m ergibt etwa {points:,.0f} Rasterorte; möglich sind höchstens {most:,}. Nehmen Sie eine Rasterweite von {fitting:,} m oder mehr, oder ein kleineres Gebiet.</translation>
  </message>
  <message>
   <source>An area of {area:,.0f} km² at {resolution:g} m makes about {points:,.0f} gallery points; at most {most:,} are written as a layer; leave it out to count only. Take a resolution of {fitting:,} m or more, or a smaller area.</source>
   <translation>Ein Gebiet von {area:,.0f} km² mit {resolution:g} m ergibt etwa {points:,.0f} Rasterorte; als Layer werden höchstens {most:,} geschrieben; lassen Sie ihn weg, um nur zu zählen. Nehmen Sie eine Rasterweite von {fitting:,} m oder mehr, oder ein kleineres Gebiet.</translation>
  </message>
  <message>
   <source>Another Panoramax server than the catalogue of all of them; of the two kinds of folders, the folder.</source>
   <translation>Ein anderer Panoramax-Server als der Katalog aller; bei den beiden Arten von Ordnern der Ordner.</translation>
  </message>
  <message>
   <source>Another place</source>
   <translation>Ein anderer Ort</translation>
  </message>
  <message>
   <source>Apple graphics</source>
   <translation>Apple-Grafik</translation>
  </message>
  <message>
   <source>Area</source>
   <translation>Gebiet</translation>
  </message>
  <message>
   <source>Area (km²)</source>
   <translation>Fläche (km²)</translation>
  </message>
  <message>
   <source>Area of interest (or its extent)</source>
   <translation>Gebiet (oder seine Ausdehnung)</translation>
  </message>
  <message>
   <source>As 'Compare every grid point' of 'Geolocate video': otherwise a large area is timed as it is searched, coarse to fine.</source>
   <translation>Wie „Jeden Rasterort vergleichen“ in „Video verorten“: Sonst wird ein großes Gebiet so gemessen, wie es durchsucht wird, vom Groben zum Feinen.</translation>
  </message>
  <message>
   <source>As in the paper</source>
   <translation>Wie in der Veröffentlichung</translation>
  </message>
  <message>
   <source>As seen from streets</source>
   <translation>Wie von Straßen gesehen</translation>
  </message>
  <message>
   <source>As seen from the air</source>
   <translation>Wie aus der Luft gesehen</translation>
  </message>
  <message>
   <source>Author</source>
   <translation>Urheber</translation>
  </message>
  <message>
   <source>Automatic</source>
   <translation>Automatisch</translation>
  </message>
  <message>
   <source>Bands</source>
   <translation>Kanäle</translation>
  </message>
  <message>
   <source>Basic authentication</source>
   <translation>Einfache Authentifizierung</translation>
  </message>
  <message>
   <source>Batch size</source>
   <translation>Stapelgröße</translation>
  </message>
  <message>
   <source>Bookmark</source>
   <translation>Lesezeichen</translation>
  </message>
  <message>
   <source>Brier score</source>
   <translation>Brier-Wert</translation>
  </message>
  <message>
   <source>Build reference database</source>
   <translation>Referenzdatenbank erstellen</translation>
  </message>
  <message>
   <source>CPU: runs everywhere</source>
   <translation>CPU: läuft überall</translation>
  </message>
  <message>
   <source>CSV (*.csv);;All files (*.*)</source>
   <translation>CSV (*.csv);;Alle Dateien (*.*)</translation>
  </message>
  <message>
   <source>CUDA: for an NVIDIA graphics card</source>
   <translation>CUDA: für eine Grafikkarte von NVIDIA</translation>
  </message>
  <message>
   <source>Cache folder</source>
   <translation>Cache-Ordner</translation>
  </message>
  <message>
   <source>Calibrate</source>
   <translation>Kalibrieren</translation>
  </message>
  <message>
   <source>Calibrating the confidence.</source>
   <translation>Die Konfidenz wird kalibriert.</translation>
  </message>
  <message>
   <source>Calibration error</source>
   <translation>Kalibrierungsfehler</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Cancelled.</source>
   <translation>Abgebrochen.</translation>
  </message>
  <message>
   <source>Cancelled. The JPEGs written so far are in {frames}, each whole.</source>
   <translation>Abgebrochen. Die bisher geschriebenen JPEGs liegen in {frames}, jedes vollständig.</translation>
  </message>
  <message>
   <source>Cancelled. What is learnt so far is in {output}: the same inputs, settings and folder go on from there.</source>
   <translation>Abgebrochen. Was bisher gelernt ist, liegt in {output}: Dieselben Eingaben, Einstellungen und derselbe Ordner setzen es fort.</translation>
  </message>
  <message>
   <source>Cancelled. What was finished is kept in {output}: the same inputs, settings and folder go on from there.</source>
   <translation>Abgebrochen. Was fertig war, liegt in {output}: Dieselben Eingaben, Einstellungen und derselbe Ordner setzen es fort.</translation>
  </message>
  <message>
   <source>Cancelled; no heat map was written.</source>
   <translation>Abgebrochen; es wurde keine Heatmap geschrieben.</translation>
  </message>
  <message>
   <source>Cancelled; no layer was written.</source>
   <translation>Abgebrochen; es wurde kein Layer geschrieben.</translation>
  </message>
  <message>
   <source>Cancelled; no places were written.</source>
   <translation>Abgebrochen; es wurden keine Orte geschrieben.</translation>
  </message>
  <message>
   <source>Cancelled; no points were written.</source>
   <translation>Abgebrochen; es wurden keine Punkte geschrieben.</translation>
  </message>
  <message>
   <source>Cancelled; no video was finished, so nothing was written.</source>
   <translation>Abgebrochen; kein Video war fertig, also wurde nichts geschrieben.</translation>
  </message>
  <message>
   <source>Cancelled; nothing was compared.</source>
   <translation>Abgebrochen; es wurde nichts verglichen.</translation>
  </message>
  <message>
   <source>Cancelled; nothing was written.</source>
   <translation>Abgebrochen; es wurde nichts geschrieben.</translation>
  </message>
  <message>
   <source>Candidate places</source>
   <translation>Mögliche Orte</translation>
  </message>
  <message>
   <source>Candidate places equally far from each other on the ground, or the paper's grid of degrees.</source>
   <translation>Mögliche Orte, die auf dem Boden gleich weit voneinander liegen, oder das Raster der Veröffentlichung in Grad.</translation>
  </message>
  <message>
   <source>Candidate places of frame {number}</source>
   <translation>Mögliche Orte von Bild {number}</translation>
  </message>
  <message>
   <source>Candidate ways</source>
   <translation>Mögliche Wege</translation>
  </message>
  <message>
   <source>Case</source>
   <translation>Fall</translation>
  </message>
  <message>
   <source>Change what you like: they are kept in this project, and only this dialog takes them.</source>
   <translation>Ändern Sie, was Sie möchten: Die Einstellungen stehen in diesem Projekt, und nur dieser Dialog nimmt sie.</translation>
  </message>
  <message>
   <source>Check</source>
   <translation>Prüfen</translation>
  </message>
  <message>
   <source>Check frames</source>
   <translation>Bilder prüfen</translation>
  </message>
  <message>
   <source>Check the engine</source>
   <translation>Engine prüfen</translation>
  </message>
  <message>
   <source>Checkpoint</source>
   <translation>Checkpoint</translation>
  </message>
  <message>
   <source>Checkpoint (folder, geoclip or none)</source>
   <translation>Checkpoint (Ordner, geoclip oder none)</translation>
  </message>
  <message>
   <source>Checkpoint (folder, or geoclip)</source>
   <translation>Checkpoint (Ordner oder geoclip)</translation>
  </message>
  <message>
   <source>Checkpoint (to measure time)</source>
   <translation>Checkpoint (um die Zeit zu messen)</translation>
  </message>
  <message>
   <source>Checkpoint folder</source>
   <translation>Ordner des Checkpoints</translation>
  </message>
  <message>
   <source>Checkpoint folder (made if need be)</source>
   <translation>Ordner für den Checkpoint (wird bei Bedarf angelegt)</translation>
  </message>
  <message>
   <source>Checkpoint of cities (folder)</source>
   <translation>Checkpoint für Städte (Ordner)</translation>
  </message>
  <message>
   <source>Choose a folder: all videos in it and its subfolders</source>
   <translation>Einen Ordner wählen: alle Videos darin und in seinen Unterordnern</translation>
  </message>
  <message>
   <source>Choose a judgement in the list first.</source>
   <translation>Wählen Sie zuerst ein Urteil in der Liste.</translation>
  </message>
  <message>
   <source>Choose a pin in the list first.</source>
   <translation>Wählen Sie zuerst einen Pin in der Liste.</translation>
  </message>
  <message>
   <source>Choose a result's layer of frames under 'Check frames' first.</source>
   <translation>Wählen Sie zuerst unter „Bilder prüfen“ den Bilder-Layer eines Ergebnisses.</translation>
  </message>
  <message>
   <source>Choose the checkpoint's folder</source>
   <translation>Den Ordner des Checkpoints wählen</translation>
  </message>
  <message>
   <source>Choose video files</source>
   <translation>Videodateien wählen</translation>
  </message>
  <message>
   <source>Cities</source>
   <translation>Städte</translation>
  </message>
  <message>
   <source>City</source>
   <translation>Stadt</translation>
  </message>
  <message>
   <source>Click a frame's point on the map to see its picture</source>
   <translation>Klicken Sie auf der Karte den Punkt eines Bildes an, um es zu sehen</translation>
  </message>
  <message>
   <source>Click a place on the map: every time the camera was near it is listed</source>
   <translation>Klicken Sie einen Ort auf der Karte an: Jedes Mal, wenn die Kamera in der Nähe war, steht in der Liste</translation>
  </message>
  <message>
   <source>Click on the map where the camera was in this frame</source>
   <translation>Klicken Sie auf der Karte dorthin, wo die Kamera in diesem Bild war</translation>
  </message>
  <message>
   <source>Click on the map where the camera was not in this frame</source>
   <translation>Klicken Sie auf der Karte dorthin, wo die Kamera in diesem Bild nicht war</translation>
  </message>
  <message>
   <source>Click something in the picture first, then its place on the map.</source>
   <translation>Klicken Sie zuerst etwas im Bild an, dann seinen Ort auf der Karte.</translation>
  </message>
  <message>
   <source>Click something in the picture that you can find on the map: {count} of at least three.</source>
   <translation>Klicken Sie etwas im Bild an, das Sie auf der Karte finden: {count} von mindestens drei.</translation>
  </message>
  <message>
   <source>Click the corners of the area; a click with the right button ends it.</source>
   <translation>Klicken Sie die Ecken des Gebiets an; ein Klick mit der rechten Taste beendet es.</translation>
  </message>
  <message>
   <source>Close</source>
   <translation>Schließen</translation>
  </message>
  <message>
   <source>Comment</source>
   <translation>Kommentar</translation>
  </message>
  <message>
   <source>Compact for any computer</source>
   <translation>Kompakt für jeden Rechner</translation>
  </message>
  <message>
   <source>Compare every grid point</source>
   <translation>Jeden Rasterort vergleichen</translation>
  </message>
  <message>
   <source>Compares a result of 'Geolocate video' with where the camera really was.

The truth is a GPX, CSV or SRT track, a video that carries its own positions, or a layer with times: points, or lines with a start and an end. It is matched with the frames by time.

The outputs are the metrics of the VidTAG paper, a line from each answer to its truth with its length in metres, and a report with a map and charts that can be kept or sent: one HTML file.</source>
   <translation>Vergleicht ein Ergebnis von „Video verorten“ damit, wo die Kamera wirklich war.

Die wahren Positionen sind ein Track als GPX, CSV oder SRT, ein Video mit eigenen Positionen, oder ein Layer mit Zeiten: Punkte, oder Linien mit Anfang und Ende. Sie werden den Bildern über die Zeit zugeordnet.

Die Ausgaben sind die Maße der VidTAG-Veröffentlichung, eine Linie von jeder Antwort zum wahren Ort mit ihrer Länge in Metern, und ein Bericht mit Karte und Diagrammen zum Aufheben oder Verschicken: eine einzige HTML-Datei.</translation>
  </message>
  <message>
   <source>Compares a result with the truth: the paper's metrics, a layer of errors and a report.</source>
   <translation>Vergleicht ein Ergebnis mit wahren Positionen: die Maße der Veröffentlichung, ein Layer mit Fehlern und ein Bericht.</translation>
  </message>
  <message>
   <source>Comparing the way of {subject} with the roads.</source>
   <translation>Der Weg von {subject} wird mit den Straßen verglichen.</translation>
  </message>
  <message>
   <source>Comparing with the truth.</source>
   <translation>Es wird mit den wahren Positionen verglichen.</translation>
  </message>
  <message>
   <source>Computing the candidate places.</source>
   <translation>Die möglichen Orte werden berechnet.</translation>
  </message>
  <message>
   <source>Confidence radius (m)</source>
   <translation>Konfidenzradius (m)</translation>
  </message>
  <message>
   <source>Confidence regions</source>
   <translation>Konfidenzregionen</translation>
  </message>
  <message>
   <source>Confidence {share:.0%}</source>
   <translation>Konfidenz {share:.0%}</translation>
  </message>
  <message>
   <source>Confirm place</source>
   <translation>Ort bestätigen</translation>
  </message>
  <message>
   <source>Continent</source>
   <translation>Kontinent</translation>
  </message>
  <message>
   <source>Continents</source>
   <translation>Kontinente</translation>
  </message>
  <message>
   <source>Continue in the background</source>
   <translation>Im Hintergrund weiter</translation>
  </message>
  <message>
   <source>Coordinate system of copies</source>
   <translation>Koordinatenbezugssystem der Kopien</translation>
  </message>
  <message>
   <source>Copies a result of 'Geolocate video' to other formats: KML, GPX, GeoJSON, CSV, lines with times as M for trajectory tools, and the frames as JPEGs that carry their places.

The JPEGs have EXIF positions, the time of the frame (UTC; none where the video's start is not known) and the confidence, so that photo tools and 'Import geotagged photos' read them. They need the videos: those are looked for where you say and beside the result, and checked to be the very files that were located.</source>
   <translation>Kopiert ein Ergebnis von „Video verorten“ in andere Formate: KML, GPX, GeoJSON, CSV, Linien mit Zeiten als M für Trajektorienwerkzeuge, und die Bilder als JPEGs, die ihre Orte enthalten.

Die JPEGs haben EXIF-Positionen, die Zeit des Bildes (UTC; keine, wenn der Anfang des Videos nicht bekannt ist) und die Konfidenz, sodass Fotoprogramme und „Geogetaggte Fotos importieren“ sie lesen. Dafür werden die Videos gebraucht: Sie werden dort gesucht, wo Sie es sagen, und neben dem Ergebnis. Geprüft wird, ob es genau die verorteten Dateien sind.</translation>
  </message>
  <message>
   <source>Copies a result to KML, GPX, GeoJSON and CSV, and its frames to JPEGs with EXIF positions.</source>
   <translation>Kopiert ein Ergebnis nach KML, GPX, GeoJSON und CSV, und seine Bilder in JPEGs mit EXIF-Positionen.</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>Kopieren</translation>
  </message>
  <message>
   <source>Copy log</source>
   <translation>Protokoll kopieren</translation>
  </message>
  <message>
   <source>Copy report</source>
   <translation>Bericht kopieren</translation>
  </message>
  <message>
   <source>Correct</source>
   <translation>Berichtigen</translation>
  </message>
  <message>
   <source>Corrected frames</source>
   <translation>Berichtigte Bilder</translation>
  </message>
  <message>
   <source>Corrected result</source>
   <translation>Berichtigtes Ergebnis</translation>
  </message>
  <message>
   <source>Corrected trajectory</source>
   <translation>Berichtigte Trajektorie</translation>
  </message>
  <message>
   <source>Corrected trajectory, Corrected frames and Confidence regions</source>
   <translation>Berichtigte Trajektorie, berichtigte Bilder und Konfidenzregionen</translation>
  </message>
  <message>
   <source>Countries</source>
   <translation>Länder</translation>
  </message>
  <message>
   <source>Country</source>
   <translation>Land</translation>
  </message>
  <message>
   <source>Counts, shows and times the candidate places of an area.</source>
   <translation>Zählt, zeigt und misst die möglichen Orte eines Gebiets.</translation>
  </message>
  <message>
   <source>Course over ground</source>
   <translation>Kurs über Grund</translation>
  </message>
  <message>
   <source>Create</source>
   <translation>Erstellen</translation>
  </message>
  <message>
   <source>Create an environment below, or name the Python of one where `pip install` has put vidtag-engine.</source>
   <translation>Erstellen Sie unten eine Umgebung, oder nennen Sie das Python einer Umgebung, in die `pip install` vidtag-engine installiert hat.</translation>
  </message>
  <message>
   <source>Create environment…</source>
   <translation>Umgebung erstellen …</translation>
  </message>
  <message>
   <source>Curve (PNG)</source>
   <translation>Kurve (PNG)</translation>
  </message>
  <message>
   <source>DINOv2 base</source>
   <translation>DINOv2 base</translation>
  </message>
  <message>
   <source>DINOv2 small</source>
   <translation>DINOv2 small</translation>
  </message>
  <message>
   <source>DMS</source>
   <translation>Grad Min Sek</translation>
  </message>
  <message>
   <source>Damaged</source>
   <translation>Beschädigt</translation>
  </message>
  <message>
   <source>Dask scheduler</source>
   <translation>Dask-Scheduler</translation>
  </message>
  <message>
   <source>Database folder (made if need be)</source>
   <translation>Ordner für die Datenbank (wird bei Bedarf angelegt)</translation>
  </message>
  <message>
   <source>Database folder; none where nothing was made</source>
   <translation>Ordner der Datenbank; leer, wenn nichts gemacht wurde</translation>
  </message>
  <message>
   <source>Decimal</source>
   <translation>Dezimal</translation>
  </message>
  <message>
   <source>Decode the videos that have pins again; the model's own answer stays</source>
   <translation>Die Videos mit Pins neu dekodieren; die eigene Antwort des Modells bleibt</translation>
  </message>
  <message>
   <source>Delete the file of pictures</source>
   <translation>Die Datei mit den Bildern löschen</translation>
  </message>
  <message>
   <source>Details kept of pictures</source>
   <translation>Einzelheiten, die von Bildern behalten werden</translation>
  </message>
  <message>
   <source>Device</source>
   <translation>Gerät</translation>
  </message>
  <message>
   <source>Direction of travel</source>
   <translation>Fahrtrichtung</translation>
  </message>
  <message>
   <source>Discrete Fréchet distance (m)</source>
   <translation>Diskreter Fréchet-Abstand (m)</translation>
  </message>
  <message>
   <source>Discrete Fréchet distance (°)</source>
   <translation>Diskreter Fréchet-Abstand (°)</translation>
  </message>
  <message>
   <source>Done. Switch on View ▸ Show Map Tips, choose the layer of frames, and rest the mouse on a frame.</source>
   <translation>Fertig. Schalten Sie Ansicht ▸ Kartenhinweise anzeigen ein, wählen Sie den Bilder-Layer und lassen Sie die Maus auf einem Bild ruhen.</translation>
  </message>
  <message>
   <source>Draw area</source>
   <translation>Gebiet zeichnen</translation>
  </message>
  <message>
   <source>Draw posterior</source>
   <translation>Verteilung zeichnen</translation>
  </message>
  <message>
   <source>Draw the area of interest, and see how many gallery points it makes</source>
   <translation>Das Gebiet zeichnen und sehen, wie viele Rasterorte es ergibt</translation>
  </message>
  <message>
   <source>Draw the area on the map: a click a corner, the right button ends</source>
   <translation>Zeichnen Sie das Gebiet auf der Karte: ein Klick je Ecke, die rechte Taste beendet</translation>
  </message>
  <message>
   <source>Draw the area, choose a layer of polygons, or search where the checkpoint was trained.</source>
   <translation>Zeichnen Sie das Gebiet, wählen Sie einen Layer mit Polygonen, oder suchen Sie dort, wo der Checkpoint trainiert ist.</translation>
  </message>
  <message>
   <source>Drives that they are of</source>
   <translation>Fahrten, aus denen sie stammen</translation>
  </message>
  <message>
   <source>Drop videos here, or a folder of them</source>
   <translation>Videos hierher ziehen, oder einen Ordner davon</translation>
  </message>
  <message>
   <source>Drop videos here, or a folder of them. Delete takes the chosen ones off the list.</source>
   <translation>Ziehen Sie Videos hierher, oder einen Ordner davon. Entf nimmt die gewählten von der Liste.</translation>
  </message>
  <message>
   <source>Each frame by itself</source>
   <translation>Jedes Bild für sich</translation>
  </message>
  <message>
   <source>Elsewhere {share}</source>
   <translation>Anderswo {share}</translation>
  </message>
  <message>
   <source>Empty: an equal-area plane about the area.</source>
   <translation>Leer: eine flächentreue Ebene um das Gebiet.</translation>
  </message>
  <message>
   <source>Empty: as the grid resolution.</source>
   <translation>Leer: wie die Rasterweite.</translation>
  </message>
  <message>
   <source>Encode every frame</source>
   <translation>Jedes Bild encodieren</translation>
  </message>
  <message>
   <source>End</source>
   <translation>Ende</translation>
  </message>
  <message>
   <source>End of the stretch of each video; empty: its end.</source>
   <translation>Ende des Abschnitts jedes Videos; leer: sein Ende.</translation>
  </message>
  <message>
   <source>End of the stretch of the video; empty: its end.</source>
   <translation>Ende des Abschnitts des Videos; leer: sein Ende.</translation>
  </message>
  <message>
   <source>End time field</source>
   <translation>Feld mit der Endzeit</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>Engine</translation>
  </message>
  <message>
   <source>Engine kept for the next run</source>
   <translation>Engine für den nächsten Lauf bereithalten</translation>
  </message>
  <message>
   <source>Environments and the embeddings of galleries lie here: several gigabytes, outside the plugin and your profile. OK takes another folder as it is; 'Move there' takes along what lies in this one.</source>
   <translation>Umgebungen und die Embeddings von Rasterorten liegen hier: mehrere Gigabyte, außerhalb der Erweiterung und Ihres Profils. OK nimmt einen anderen Ordner, wie er ist; „Dorthin verschieben“ nimmt mit, was in diesem liegt.</translation>
  </message>
  <message>
   <source>Errors</source>
   <translation>Fehler</translation>
  </message>
  <message>
   <source>Evaluate trajectory</source>
   <translation>Trajektorie auswerten</translation>
  </message>
  <message>
   <source>Evenly spaced on the ground</source>
   <translation>Gleichmäßig auf dem Boden</translation>
  </message>
  <message>
   <source>Export trajectory</source>
   <translation>Trajektorie exportieren</translation>
  </message>
  <message>
   <source>Extent instead of polygons</source>
   <translation>Ausdehnung statt Polygonen</translation>
  </message>
  <message>
   <source>Farthest move (m)</source>
   <translation>Weiteste Verschiebung (m)</translation>
  </message>
  <message>
   <source>Fetching the pictures.</source>
   <translation>Die Bilder werden geholt.</translation>
  </message>
  <message>
   <source>Field of view</source>
   <translation>Bildwinkel</translation>
  </message>
  <message>
   <source>Field of view {degrees:.0f}°, {how}.</source>
   <translation>Bildwinkel {degrees:.0f}°, {how}.</translation>
  </message>
  <message>
   <source>Field that says here or not</source>
   <translation>Feld, das hier oder nicht hier sagt</translation>
  </message>
  <message>
   <source>Find this moment again</source>
   <translation>Diesen Moment wiederfinden</translation>
  </message>
  <message>
   <source>Fits how sure to be, on the database's own drives, each of which is left out in turn. A later call does it where this one does not.</source>
   <translation>Passt an den Fahrten der Datenbank selbst an, wie sicher Antworten sind; dabei wird jede Fahrt einmal ausgelassen. Geschieht es hier nicht, tut es ein späterer Aufruf.</translation>
  </message>
  <message>
   <source>Folder of MSLS</source>
   <translation>MSLS-Ordner</translation>
  </message>
  <message>
   <source>Folder of a batch's results; empty of a single video</source>
   <translation>Ordner mit den Ergebnissen eines Stapels; leer bei einem einzelnen Video</translation>
  </message>
  <message>
   <source>Folder of images</source>
   <translation>Ordner mit Bildern</translation>
  </message>
  <message>
   <source>Folder of photographs with places</source>
   <translation>Ordner mit Fotos und ihren Orten</translation>
  </message>
  <message>
   <source>Folder of the videos</source>
   <translation>Ordner der Videos</translation>
  </message>
  <message>
   <source>Folder of videos</source>
   <translation>Ordner mit Videos</translation>
  </message>
  <message>
   <source>Folder of videos and tracks</source>
   <translation>Ordner mit Videos und Tracks</translation>
  </message>
  <message>
   <source>Folder of wheels</source>
   <translation>Ordner mit Wheels</translation>
  </message>
  <message>
   <source>Folder to make the case in</source>
   <translation>Ordner, in dem der Fall angelegt wird</translation>
  </message>
  <message>
   <source>Folder to validate on</source>
   <translation>Ordner zum Validieren</translation>
  </message>
  <message>
   <source>Folder with the engine's source (empty: the engine installed there)</source>
   <translation>Ordner mit dem Quelltext der Engine (leer: die dort installierte Engine)</translation>
  </message>
  <message>
   <source>Following points from picture to picture.</source>
   <translation>Punkte werden von Bild zu Bild verfolgt.</translation>
  </message>
  <message>
   <source>For GPS programs: a track a video, with times where they are known.</source>
   <translation>Für GPS-Programme: ein Track je Video, mit Zeiten, soweit sie bekannt sind.</translation>
  </message>
  <message>
   <source>For Google Earth: a track with times and a coloured line.</source>
   <translation>Für Google Earth: ein Track mit Zeiten und eine farbige Linie.</translation>
  </message>
  <message>
   <source>For Google Earth: a track with times and a styled line.</source>
   <translation>Für Google Earth: ein Track mit Zeiten und eine gestaltete Linie.</translation>
  </message>
  <message>
   <source>For a platform: its servers may be asked which pictures of the area there are. They learn this machine's network address and the map tiles that the area lies in. Without it nothing is asked, and the sentence that says so names the servers and the tiles.</source>
   <translation>Für eine Plattform: Ihre Server dürfen gefragt werden, welche Bilder des Gebiets es gibt. Sie erfahren die Netzwerkadresse dieses Rechners und die Kartenkacheln, in denen das Gebiet liegt. Ohne dieses Ja wird nichts gefragt, und der Satz, der das sagt, nennt Server und Kacheln.</translation>
  </message>
  <message>
   <source>For a platform: no more than this comes. Empty: only how many pictures of how many megabytes there are is said, and nothing is made.</source>
   <translation>Für eine Plattform: Mehr wird nicht geholt. Leer: Es wird nur gesagt, wie viele Bilder mit wie vielen Megabyte es gibt, und nichts gemacht.</translation>
  </message>
  <message>
   <source>For few videos</source>
   <translation>Für wenige Videos</translation>
  </message>
  <message>
   <source>For few videos, or the paper's losses and schedule.</source>
   <translation>Für wenige Videos, oder Verlustfunktionen und Zeitplan der Veröffentlichung.</translation>
  </message>
  <message>
   <source>For lines: the field with the time at the end. Empty: end_time.</source>
   <translation>Für Linien: das Feld mit der Zeit am Ende. Leer: end_time.</translation>
  </message>
  <message>
   <source>For the record. A field who of the layer goes before.</source>
   <translation>Für die Aufzeichnung. Ein Feld who des Layers geht vor.</translation>
  </message>
  <message>
   <source>For {names}: your own token there, kept by QGIS as the password of a 'Basic authentication' or as an 'API Header'. It is sent to the platform's server alone, and written nowhere.</source>
   <translation>Für {names}: Ihr eigenes Token, das QGIS als Passwort einer „Einfachen Authentifizierung“ oder als „API-Header“ verwahrt. Es wird nur an den Server der Plattform gesendet und nirgends geschrieben.</translation>
  </message>
  <message>
   <source>For {which} below. Empty: WGS 84. The result file itself is always in WGS 84.</source>
   <translation>Gilt für diese Ausgaben: {which}. Leer: WGS 84. Die Ergebnisdatei selbst ist immer in WGS 84.</translation>
  </message>
  <message>
   <source>Forget what could not be written</source>
   <translation>Vergessen, was nicht geschrieben werden konnte</translation>
  </message>
  <message>
   <source>Found {text}.</source>
   <translation>Gefunden: {text}.</translation>
  </message>
  <message>
   <source>Frame</source>
   <translation>Bild</translation>
  </message>
  <message>
   <source>Frame before</source>
   <translation>Bild davor</translation>
  </message>
  <message>
   <source>Frame field</source>
   <translation>Feld mit dem Bild</translation>
  </message>
  <message>
   <source>Frame {number} of 0 to {last}</source>
   <translation>Bild {number} von 0 bis {last}</translation>
  </message>
  <message>
   <source>Frames</source>
   <translation>Bilder</translation>
  </message>
  <message>
   <source>Frames a page</source>
   <translation>Bilder je Seite</translation>
  </message>
  <message>
   <source>Frames are located</source>
   <translation>Bilder werden verortet</translation>
  </message>
  <message>
   <source>Frames as JPEGs</source>
   <translation>Bilder als JPEGs</translation>
  </message>
  <message>
   <source>Frames at once; less takes less memory.</source>
   <translation>Bilder auf einmal; weniger braucht weniger Speicher.</translation>
  </message>
  <message>
   <source>Frames compared</source>
   <translation>Verglichene Bilder</translation>
  </message>
  <message>
   <source>Frames compared that are not rated, and in no number of confidence</source>
   <translation>Verglichene Bilder, die nicht bewertet sind und in keinem Maß der Konfidenz zählen</translation>
  </message>
  <message>
   <source>Frames learnt from</source>
   <translation>Bilder, aus denen gelernt wurde</translation>
  </message>
  <message>
   <source>Frames left out</source>
   <translation>Weggelassene Bilder</translation>
  </message>
  <message>
   <source>Frames located</source>
   <translation>Verortete Bilder</translation>
  </message>
  <message>
   <source>Frames located, but not rated</source>
   <translation>Verortete, aber nicht bewertete Bilder</translation>
  </message>
  <message>
   <source>Frames on a road</source>
   <translation>Bilder auf einer Straße</translation>
  </message>
  <message>
   <source>Frames per second (0: every frame)</source>
   <translation>Bilder pro Sekunde (0: jedes Bild)</translation>
  </message>
  <message>
   <source>Frames taken from own videos.</source>
   <translation>Bilder, die aus eigenen Videos genommen werden.</translation>
  </message>
  <message>
   <source>Frames taken from the videos.</source>
   <translation>Bilder, die aus den Videos genommen werden.</translation>
  </message>
  <message>
   <source>Frames that moved</source>
   <translation>Verschobene Bilder</translation>
  </message>
  <message>
   <source>Frames within {radius} km (%)</source>
   <translation>Bilder innerhalb von {radius} km (%)</translation>
  </message>
  <message>
   <source>Frames written</source>
   <translation>Geschriebene Bilder</translation>
  </message>
  <message>
   <source>Frames' regions in the KMZ</source>
   <translation>Regionen der Bilder in der KMZ</translation>
  </message>
  <message>
   <source>Frames, with pins</source>
   <translation>Bilder, mit Pins</translation>
  </message>
  <message>
   <source>From</source>
   <translation>Von</translation>
  </message>
  <message>
   <source>From (s)</source>
   <translation>Von (s)</translation>
  </message>
  <message>
   <source>From 0.1 % of the likeliest</source>
   <translation>Ab 0,1 % des wahrscheinlichsten</translation>
  </message>
  <message>
   <source>From 1 % of the likeliest</source>
   <translation>Ab 1 % des wahrscheinlichsten</translation>
  </message>
  <message>
   <source>From 10 % of the likeliest</source>
   <translation>Ab 10 % des wahrscheinlichsten</translation>
  </message>
  <message>
   <source>From 20 % of the likeliest</source>
   <translation>Ab 20 % des wahrscheinlichsten</translation>
  </message>
  <message>
   <source>From 3 % of the likeliest</source>
   <translation>Ab 3 % des wahrscheinlichsten</translation>
  </message>
  <message>
   <source>From 50 % of the likeliest</source>
   <translation>Ab 50 % des wahrscheinlichsten</translation>
  </message>
  <message>
   <source>Gallery grid</source>
   <translation>Ortsraster</translation>
  </message>
  <message>
   <source>Gallery points</source>
   <translation>Rasterorte</translation>
  </message>
  <message>
   <source>Gaps between reference images</source>
   <translation>Lücken zwischen Referenzbildern</translation>
  </message>
  <message>
   <source>Geolocate video</source>
   <translation>Video verorten</translation>
  </message>
  <message>
   <source>Give at least one video, a folder of videos or a folder of images.</source>
   <translation>Geben Sie mindestens ein Video, einen Ordner mit Videos oder einen Ordner mit Bildern an.</translation>
  </message>
  <message>
   <source>Give it up</source>
   <translation>Aufgeben</translation>
  </message>
  <message>
   <source>Give one or more videos, the area that they are from, and a checkpoint: a model trained for that area gives useful positions; 'geoclip' knows the whole world, roughly. The area is covered with a grid of candidate places, and every frame gets the best of them, with a confidence: the probability that the true place lies within the confidence radius.

The result is a GeoPackage with the layers 'trajectory' (a line a step), 'frames' (a point a frame), 'videos' and 'regions' (where a frame lies with 50 and 90 %), with styles, times for the temporal controller, and the record of what it was made from. Its layers are loaded into the project. Trajectory, frames and regions can be copied to layers of any format, too, and each video to a line with times as M.

A video that is judged to be from elsewhere, unlike all that the checkpoint knows, or on ground that it knows nothing of, gets no answer, and the log says why. Where you know better, keep the scores, set pins and run 'Solve with pins'. Frames whose probability nothing has calibrated are 'not rated': they have a place, and no confidence.

Without an area the extent that the checkpoint was trained on is searched, or with a worldwide one the world's land; then take a resolution of 1000 m.

Where there is no checkpoint for the area, 'Build reference database' makes something to recognise its places by without any training: give it under 'Reference images'.

With a layer of the area's 'Roads' the shape of each video's way, its turns, stops and speeds, is compared with the streets, too. The layer 'candidates' of the result has the ways that fit. With the checkpoint 'none' that alone says where it was.

The engine runs in a Python environment of its own: Settings &gt; Options &gt; VidTAG. Cancel stops it within a second; videos finished by then are kept. Of several videos each is kept at once, in a folder beside the result, which also has a page of the batch: every video's state, why it failed, and a map. 'Go on from an existing result' does the rest of a batch that was stopped.</source>
   <translation>Geben Sie ein oder mehrere Videos an, das Gebiet, aus dem sie stammen, und einen Checkpoint: Ein Modell, das für dieses Gebiet trainiert ist, liefert brauchbare Positionen; „geoclip“ kennt die ganze Welt, grob. Das Gebiet wird mit einem Raster möglicher Orte überzogen. Jedes Bild bekommt den besten davon, mit einer Konfidenz: der Wahrscheinlichkeit, dass der wahre Ort innerhalb des Konfidenzradius liegt.

Das Ergebnis ist ein GeoPackage mit den Layern „trajectory“ (eine Linie je Schritt), „frames“ (ein Punkt je Bild), „videos“ und „regions“ (wo ein Bild mit 50 und 90 % liegt), mit Stilen, Zeiten für die Zeitsteuerung und der Aufzeichnung, woraus es gemacht wurde. Seine Layer werden in das Projekt geladen. Trajektorie, Bilder und Regionen können auch in Layer jedes Formats kopiert werden, und jedes Video in eine Linie mit Zeiten als M.

Ein Video, das von anderswo zu stammen scheint, nichts gleicht, was der Checkpoint kennt, oder ihm unbekanntes Gelände zeigt, bekommt keine Antwort, und das Protokoll sagt, warum. Wissen Sie es besser, behalten Sie die Bewertungen, setzen Sie Pins und starten Sie „Mit Pins lösen“. Bilder, deren Wahrscheinlichkeit nichts kalibriert hat, sind „nicht bewertet“: Sie haben einen Ort und keine Konfidenz.

Ohne Gebiet wird die Ausdehnung durchsucht, auf der der Checkpoint trainiert ist, oder mit einem weltweiten das Land der Erde; nehmen Sie dann eine Rasterweite von 1000 m.

Gibt es für das Gebiet keinen Checkpoint, macht „Referenzdatenbank erstellen“ ganz ohne Training etwas, woran sich seine Orte erkennen lassen: Geben Sie es unter „Referenzbilder“ an.

Mit einem Layer der „Straßen“ des Gebiets wird auch die Form des Weges jedes Videos, also Kurven, Halte und Geschwindigkeiten, mit den Straßen verglichen. Der Layer „candidates“ des Ergebnisses enthält die passenden Wege. Mit dem Checkpoint „none“ sagt das allein, wo es war.

Die Engine läuft in einer eigenen Python-Umgebung: Einstellungen &gt; Optionen &gt; VidTAG. Abbrechen hält sie innerhalb einer Sekunde an; bis dahin fertige Videos bleiben. Bei mehreren Videos wird jedes sofort aufgehoben, in einem Ordner neben dem Ergebnis, der auch eine Seite des Stapels hat: den Stand jedes Videos, warum es gescheitert ist, und eine Karte. „Vorhandenes Ergebnis fortsetzen“ macht den Rest eines angehaltenen Stapels.</translation>
  </message>
  <message>
   <source>Give the area of interest as a polygon layer or as an extent, not both: leave one of them empty.</source>
   <translation>Geben Sie das Gebiet als Polygonlayer oder als Ausdehnung an, nicht als beides: Lassen Sie eines davon leer.</translation>
  </message>
  <message>
   <source>Give the truth once: as a file, or as a layer.</source>
   <translation>Geben Sie die wahren Positionen einmal an: als Datei oder als Layer.</translation>
  </message>
  <message>
   <source>Gives the best guess, not rated, also for a video that is judged to be from outside the area, unlike all that the checkpoint knows, or on ground that it knows nothing of. Otherwise its frames have no geometry, and their state says why.</source>
   <translation>Gibt auch dann die beste Schätzung, nicht bewertet, wenn ein Video von außerhalb des Gebiets zu stammen scheint, nichts gleicht, was der Checkpoint kennt, oder ihm unbekanntes Gelände zeigt. Sonst haben seine Bilder keine Geometrie, und ihr Zustand sagt, warum.</translation>
  </message>
  <message>
   <source>Giving the videos to the scheduler's workers.</source>
   <translation>Die Videos werden den Workern des Schedulers gegeben.</translation>
  </message>
  <message>
   <source>Go on from an existing result</source>
   <translation>Vorhandenes Ergebnis fortsetzen</translation>
  </message>
  <message>
   <source>Grid</source>
   <translation>Raster</translation>
  </message>
  <message>
   <source>Grid resolution</source>
   <translation>Rasterweite</translation>
  </message>
  <message>
   <source>Grid resolution (m)</source>
   <translation>Rasterweite (m)</translation>
  </message>
  <message>
   <source>Grid resolution, as in 'Geolocate video'</source>
   <translation>Rasterweite, wie in „Video verorten“</translation>
  </message>
  <message>
   <source>Guess city</source>
   <translation>Stadt schätzen</translation>
  </message>
  <message>
   <source>Guess the area</source>
   <translation>Gebiet schätzen</translation>
  </message>
  <message>
   <source>Guesses the area: a folder that train-city has written. Empty: one in your folder of checkpoints. See 'Guess city'.</source>
   <translation>Schätzt das Gebiet: ein Ordner, den train-city geschrieben hat. Leer: einer in Ihrem Ordner für Checkpoints. Siehe „Stadt schätzen“.</translation>
  </message>
  <message>
   <source>Half of the ways that fit, or more</source>
   <translation>Mindestens die Hälfte der passenden Wege</translation>
  </message>
  <message>
   <source>Hand over</source>
   <translation>Übergeben</translation>
  </message>
  <message>
   <source>Handed over by</source>
   <translation>Übergeben von</translation>
  </message>
  <message>
   <source>Heat map</source>
   <translation>Heatmap</translation>
  </message>
  <message>
   <source>Here</source>
   <translation>Hier</translation>
  </message>
  <message>
   <source>Here…</source>
   <translation>Hier …</translation>
  </message>
  <message>
   <source>Home zones</source>
   <translation>Privatzonen</translation>
  </message>
  <message>
   <source>Home zones as text</source>
   <translation>Privatzonen als Text</translation>
  </message>
  <message>
   <source>Horizontal field of view of the lens. Where it is not known, the video's file, landmarks of other frames, and four or more of this one tell it.</source>
   <translation>Horizontaler Bildwinkel des Objektivs. Ist er nicht bekannt, sagen ihn die Videodatei, Landmarken anderer Bilder und vier oder mehr dieses Bildes.</translation>
  </message>
  <message>
   <source>Hover</source>
   <translation>Darüberfahren</translation>
  </message>
  <message>
   <source>How a result stands and what to do next, as JSON for scripts and agents.</source>
   <translation>Wie es um ein Ergebnis steht und was als Nächstes zu tun ist, als JSON für Skripte und Agenten.</translation>
  </message>
  <message>
   <source>How long to train the refinement; 0 leaves it out. Empty: as the recipe.</source>
   <translation>Wie lange die Verfeinerung trainiert wird; 0 lässt sie weg. Leer: wie das Rezept.</translation>
  </message>
  <message>
   <source>How long to train the retrieval. Empty: as the recipe.</source>
   <translation>Wie lange die Suche trainiert wird. Leer: wie das Rezept.</translation>
  </message>
  <message>
   <source>How many frames of each second of video are located.</source>
   <translation>Wie viele Bilder jeder Sekunde des Videos verortet werden.</translation>
  </message>
  <message>
   <source>How many frames of each second of video are used.</source>
   <translation>Wie viele Bilder jeder Sekunde des Videos genommen werden.</translation>
  </message>
  <message>
   <source>How many.</source>
   <translation>Wie viele.</translation>
  </message>
  <message>
   <source>How near a pin is meant. A field radius_m of the layer goes before.</source>
   <translation>Wie genau ein Pin gemeint ist. Ein Feld radius_m des Layers geht vor.</translation>
  </message>
  <message>
   <source>How near to the place, metres</source>
   <translation>Wie nahe am Ort, Meter</translation>
  </message>
  <message>
   <source>How the camera moved, as a phone or a car recorded it, in the place of what the pictures tell: a CSV with time_s, heading_deg or yaw_rate_dps, and speed_mps, speed_kmh or speed. For one video, with roads.</source>
   <translation>Wie die Kamera sich bewegt hat, von einem Telefon oder Auto aufgezeichnet, an Stelle dessen, was die Bilder sagen: eine CSV-Datei mit time_s, heading_deg oder yaw_rate_dps, und speed_mps, speed_kmh oder speed. Für ein Video, mit Straßen.</translation>
  </message>
  <message>
   <source>I agree to fetch and install these packages under their licences</source>
   <translation>Ich stimme zu, diese Pakete unter ihren Lizenzen zu holen und zu installieren</translation>
  </message>
  <message>
   <source>If asked for: a copy of the result, with the layer trajectory_matched beside the model's own.</source>
   <translation>Wenn gewünscht: eine Kopie des Ergebnisses, mit dem Layer trajectory_matched neben dem eigenen des Modells.</translation>
  </message>
  <message>
   <source>If asked for: where each frame lies with 50 and with 90 %, given the pins.</source>
   <translation>Wenn gewünscht: wo jedes Bild mit 50 und mit 90 % liegt, wenn die Pins stimmen.</translation>
  </message>
  <message>
   <source>Images added by this call</source>
   <translation>Bilder, die dieser Aufruf hinzugefügt hat</translation>
  </message>
  <message>
   <source>Images and gaps</source>
   <translation>Bilder und Lücken</translation>
  </message>
  <message>
   <source>In degrees as in the paper</source>
   <translation>In Grad wie in der Veröffentlichung</translation>
  </message>
  <message>
   <source>In use: {python}, from {source}.</source>
   <translation>In Gebrauch: {python}, aus: {source}.</translation>
  </message>
  <message>
   <source>Instead of a file: points with a time, or lines with a start and an end time, or with Unix seconds as M values.</source>
   <translation>Statt einer Datei: Punkte mit einer Zeit, oder Linien mit Anfangs- und Endzeit oder mit Unix-Sekunden als M-Werten.</translation>
  </message>
  <message>
   <source>It did not go through: see the log messages, Processing.</source>
   <translation>Es ist nicht gelungen: Sehen Sie im Protokoll der Verarbeitung nach.</translation>
  </message>
  <message>
   <source>It holds {count} polygons now: all of them are one area, or select those that you mean.</source>
   <translation>Er enthält jetzt {count} Polygone: Alle sind zusammen ein Gebiet, oder wählen Sie die aus, die Sie meinen.</translation>
  </message>
  <message>
   <source>It is at work.</source>
   <translation>Sie arbeitet gerade.</translation>
  </message>
  <message>
   <source>It is the line of 'Solve with pins'.</source>
   <translation>Es ist die Linie von „Mit Pins lösen“.</translation>
  </message>
  <message>
   <source>It is wrong</source>
   <translation>Er ist falsch</translation>
  </message>
  <message>
   <source>It may be right</source>
   <translation>Er könnte stimmen</translation>
  </message>
  <message>
   <source>It takes {memory:,} MB of memory and holds checkpoint {checkpoint} and an area of {points:,} grid points.</source>
   <translation>Sie belegt {memory:,} MB Speicher und hält den Checkpoint {checkpoint} und ein Gebiet mit {points:,} Rasterorten.</translation>
  </message>
  <message>
   <source>It takes {memory:,} MB of memory and holds checkpoint {checkpoint}.</source>
   <translation>Sie belegt {memory:,} MB Speicher und hält den Checkpoint {checkpoint}.</translation>
  </message>
  <message>
   <source>It takes {memory:,} MB of memory.</source>
   <translation>Sie belegt {memory:,} MB Speicher.</translation>
  </message>
  <message>
   <source>Its probability; none where it is not rated</source>
   <translation>Ihre Wahrscheinlichkeit; keine, wenn sie nicht bewertet ist</translation>
  </message>
  <message>
   <source>Judged</source>
   <translation>Urteil</translation>
  </message>
  <message>
   <source>Keep it after a run for</source>
   <translation>Nach einem Lauf behalten für</translation>
  </message>
  <message>
   <source>Keep scores for pins</source>
   <translation>Bewertungen für Pins behalten</translation>
  </message>
  <message>
   <source>Keep scores, so that pins solve it again</source>
   <translation>Bewertungen behalten, um mit Pins neu zu lösen</translation>
  </message>
  <message>
   <source>Kept in the review file beside the result.</source>
   <translation>In der Beurteilungsdatei neben dem Ergebnis festgehalten.</translation>
  </message>
  <message>
   <source>Landmark {number} does not fit the others: look at it again.</source>
   <translation>Landmarke {number} passt nicht zu den anderen: Sehen Sie sie noch einmal an.</translation>
  </message>
  <message>
   <source>Landmarks</source>
   <translation>Landmarken</translation>
  </message>
  <message>
   <source>Large as in the paper</source>
   <translation>Groß wie in der Veröffentlichung</translation>
  </message>
  <message>
   <source>Larger is better and larger.</source>
   <translation>Mehr ist besser und größer.</translation>
  </message>
  <message>
   <source>Latitude</source>
   <translation>Breite</translation>
  </message>
  <message>
   <source>Latitude of the highest cell (first band)</source>
   <translation>Breite der höchsten Zelle (erster Kanal)</translation>
  </message>
  <message>
   <source>Laying the line on the roads.</source>
   <translation>Die Linie wird auf die Straßen gelegt.</translation>
  </message>
  <message>
   <source>Lays the trajectory of a result on a layer of roads.</source>
   <translation>Legt die Trajektorie eines Ergebnisses auf einen Layer mit Straßen.</translation>
  </message>
  <message>
   <source>Lays the trajectory of a result on roads, as a car drives: a frame lies where its place, its confidence and the way along the roads from the frame before agree best.

Roads are any line layer. They may be driven both ways, and meet where they touch or cross, bridges too. Where no road is in reach, the line breaks; how far is in reach follows from each frame's confidence.

It helps where the camera did follow roads: a drone, or a walk through a park, is drawn away from the truth. The model's own trajectory stays as it is.</source>
   <translation>Legt die Trajektorie eines Ergebnisses auf Straßen, wie ein Auto fährt: Ein Bild liegt dort, wo sein Ort, seine Konfidenz und der Weg auf den Straßen vom vorigen Bild her am besten zusammenpassen.

Straßen sind ein beliebiger Linienlayer. Sie dürfen in beide Richtungen befahren werden und treffen sich, wo sie sich berühren oder kreuzen, auch an Brücken. Ist keine Straße in Reichweite, bricht die Linie ab; wie weit die Reichweite ist, folgt aus der Konfidenz jedes Bildes.

Es hilft, wo die Kamera wirklich Straßen gefolgt ist: Eine Drohne oder ein Spaziergang durch einen Park wird von der Wahrheit weggezogen. Die eigene Trajektorie des Modells bleibt, wie sie ist.</translation>
  </message>
  <message>
   <source>Learn from altered copies of each picture, too: as streets change, or the ground from the air.</source>
   <translation>Auch aus veränderten Kopien jedes Bildes lernen: wie Straßen sich ändern, oder der Boden aus der Luft.</translation>
  </message>
  <message>
   <source>Learning how the layout is weighed.</source>
   <translation>Es wird gelernt, wie das Layout gewichtet wird.</translation>
  </message>
  <message>
   <source>Least confidence</source>
   <translation>Mindestkonfidenz</translation>
  </message>
  <message>
   <source>Least confidence of a frame</source>
   <translation>Mindestkonfidenz eines Bildes</translation>
  </message>
  <message>
   <source>Least way between pictures (m)</source>
   <translation>Mindestweg zwischen Bildern (m)</translation>
  </message>
  <message>
   <source>Leaves a folder beside the result, named as it and ending in .scores, with which 'Solve with pins' decodes it again.</source>
   <translation>Lässt neben dem Ergebnis einen Ordner mit seinem Namen und der Endung .scores, mit dem „Mit Pins lösen“ es neu dekodiert.</translation>
  </message>
  <message>
   <source>Left out, {why}: {count:,}.</source>
   <translation>Weggelassen, {why}: {count:,}.</translation>
  </message>
  <message>
   <source>Length (m)</source>
   <translation>Länge (m)</translation>
  </message>
  <message>
   <source>Less sure frames are not written as JPEGs; those that are not rated are.</source>
   <translation>Weniger sichere Bilder werden nicht als JPEGs geschrieben; nicht bewertete schon.</translation>
  </message>
  <message>
   <source>Less than a fifth</source>
   <translation>Weniger als ein Fünftel</translation>
  </message>
  <message>
   <source>Less than a year old</source>
   <translation>Weniger als ein Jahr alt</translation>
  </message>
  <message>
   <source>Let it go now</source>
   <translation>Jetzt beenden</translation>
  </message>
  <message>
   <source>Let uv fetch Python {UV_VERSION}</source>
   <translation>Python {UV_VERSION} von uv holen lassen</translation>
  </message>
  <message>
   <source>Licence</source>
   <translation>Lizenz</translation>
  </message>
  <message>
   <source>Licences may differ</source>
   <translation>Lizenzen dürfen verschieden sein</translation>
  </message>
  <message>
   <source>Likeliest city, of the first video whose city is known; empty where none is</source>
   <translation>Wahrscheinlichste Stadt des ersten Videos, dessen Stadt bekannt ist; leer, wenn keine es ist</translation>
  </message>
  <message>
   <source>Likely places</source>
   <translation>Wahrscheinliche Orte</translation>
  </message>
  <message>
   <source>Likely places are</source>
   <translation>Wahrscheinliche Orte sind</translation>
  </message>
  <message>
   <source>Lines in any coordinate system, such as OpenStreetMap's streets. With 'Selected features only', the selected ones.</source>
   <translation>Linien in einem beliebigen Koordinatenbezugssystem, etwa die Straßen von OpenStreetMap. Mit „Nur gewählte Objekte“ die gewählten.</translation>
  </message>
  <message>
   <source>List the places that this frame may be of, and show them on the map</source>
   <translation>Die Orte auflisten, die dieses Bild zeigen kann, und auf der Karte zeigen</translation>
  </message>
  <message>
   <source>Load the layers</source>
   <translation>Die Layer laden</translation>
  </message>
  <message>
   <source>Load the result's layers</source>
   <translation>Die Layer des Ergebnisses laden</translation>
  </message>
  <message>
   <source>Locate</source>
   <translation>Verorten</translation>
  </message>
  <message>
   <source>Locate videos, check and correct their frames beside the map</source>
   <translation>Videos verorten, ihre Bilder neben der Karte prüfen und berichtigen</translation>
  </message>
  <message>
   <source>Locate video…</source>
   <translation>Video suchen …</translation>
  </message>
  <message>
   <source>Locates the frames of a result again with what you know: pins say that the camera was at a place in a frame, or was not.

A pin counts for the whole video, not only for its frame: all frames are decoded together again, and those before and after follow as a camera can move. A frame with a pin 'here' gets the pin's place. A pin also lifts an answer that was withheld.

The result must have been made with 'Keep scores for pins' in 'Geolocate video'. Pins come from a point layer, or from the result's review file ('drive.review.gpkg' beside 'drive.gpkg'), to which 'Check frames' adds them. They are known by the video and its time, and stay right when the video is located again with other settings. The output is a copy of the result, its pins in a review file beside it, in which 'frames_pinned', 'trajectory_pinned' and 'regions_pinned' stand beside the model's own layers; those stay as they are.</source>
   <translation>Verortet die Bilder eines Ergebnisses noch einmal mit dem, was Sie wissen: Pins sagen, dass die Kamera in einem Bild an einem Ort war oder nicht war.

Ein Pin gilt für das ganze Video, nicht nur für sein Bild: Alle Bilder werden zusammen neu dekodiert, und die davor und danach folgen, wie eine Kamera sich bewegen kann. Ein Bild mit einem Pin „hier“ bekommt den Ort des Pins. Ein Pin hebt auch eine zurückgehaltene Antwort auf.

Das Ergebnis muss mit „Bewertungen für Pins behalten“ in „Video verorten“ gemacht sein. Pins kommen aus einem Punktlayer oder aus der Beurteilungsdatei des Ergebnisses („drive.review.gpkg“ neben „drive.gpkg“), in die „Bilder prüfen“ sie schreibt. Sie sind durch das Video und seine Zeit bestimmt und stimmen auch dann noch, wenn das Video mit anderen Einstellungen neu verortet wird. Die Ausgabe ist eine Kopie des Ergebnisses, mit ihren Pins in einer Beurteilungsdatei daneben. Darin stehen „frames_pinned“, „trajectory_pinned“ und „regions_pinned“ neben den eigenen Layern des Modells; diese bleiben, wie sie sind.</translation>
  </message>
  <message>
   <source>Locates the frames of a result again with your pins: the camera was here, or was not.</source>
   <translation>Verortet die Bilder eines Ergebnisses noch einmal mit Ihren Pins: Die Kamera war hier, oder sie war es nicht.</translation>
  </message>
  <message>
   <source>Locates the frames of videos within an area, and the way that the camera took.</source>
   <translation>Verortet die Bilder von Videos in einem Gebiet und den Weg, den die Kamera genommen hat.</translation>
  </message>
  <message>
   <source>Locating {subject}.</source>
   <translation>Verortet wird {subject}.</translation>
  </message>
  <message>
   <source>Log (JSON)</source>
   <translation>Protokoll (JSON)</translation>
  </message>
  <message>
   <source>Longitude</source>
   <translation>Länge</translation>
  </message>
  <message>
   <source>Longitude of the highest cell (first band)</source>
   <translation>Länge der höchsten Zelle (erster Kanal)</translation>
  </message>
  <message>
   <source>Look at a result first: choose its layer of frames under 'Check frames'.</source>
   <translation>Sehen Sie sich zuerst ein Ergebnis an: Wählen Sie seinen Layer der Bilder unter „Bilder prüfen“.</translation>
  </message>
  <message>
   <source>Looking for a Python 3.11 or newer…</source>
   <translation>Ein Python 3.11 oder neuer wird gesucht …</translation>
  </message>
  <message>
   <source>Looking for pictures.</source>
   <translation>Es wird nach Bildern gesucht.</translation>
  </message>
  <message>
   <source>Looking for the videos.</source>
   <translation>Die Videos werden gesucht.</translation>
  </message>
  <message>
   <source>MGRS</source>
   <translation>MGRS</translation>
  </message>
  <message>
   <source>Made from</source>
   <translation>Erstellt aus</translation>
  </message>
  <message>
   <source>Make a folder…</source>
   <translation>Ordner anlegen …</translation>
  </message>
  <message>
   <source>Make pictures</source>
   <translation>Bilder erzeugen</translation>
  </message>
  <message>
   <source>Makes a checkpoint for an area from videos with tracks.</source>
   <translation>Macht aus Videos mit Tracks einen Checkpoint für ein Gebiet.</translation>
  </message>
  <message>
   <source>Makes a database of pictures with known places, by which videos are recognised without training.</source>
   <translation>Macht eine Datenbank aus Bildern mit bekannten Orten, an denen Videos ohne Training erkannt werden.</translation>
  </message>
  <message>
   <source>Makes a database of reference images, pictures with known places, by which 'Geolocate video' recognises where a video was taken. Nothing is trained.

Its pictures are your own (videos with tracks, folders of photographs with places), or those of Panoramax, a platform of openly licensed street-level pictures, in an area that you draw. The same call goes on where it was broken off, and adds what is new to a database that is there.

Nothing is asked over the network before you say yes, twice. The first yes lets the platform's servers be asked which pictures there are: api.panoramax.xyz, or the address that you give. They learn this machine's network address and the map tiles that the area lies in, about 2 km wide, not its outline. Run it without the second yes to be told how many pictures of how many megabytes there are, and under which licences; nothing is fetched and nothing is made then. The second yes is the most megabytes that may be fetched, from the servers that the pictures lie on, and they learn which pictures are fetched.

With too few drives nothing tells how sure to be: places are found, and are 'not rated'.</source>
   <translation>Macht eine Datenbank aus Referenzbildern, also Bildern mit bekannten Orten, an denen „Video verorten“ erkennt, wo ein Video aufgenommen wurde. Trainiert wird nichts.

Ihre Bilder sind Ihre eigenen (Videos mit Tracks, Ordner mit Fotos und ihren Orten) oder die von Panoramax, einer Plattform für offen lizenzierte Straßenbilder, in einem Gebiet, das Sie zeichnen. Derselbe Aufruf macht dort weiter, wo er abgebrochen wurde, und ergänzt Neues in einer vorhandenen Datenbank.

Über das Netz wird nichts gefragt, bevor Sie zweimal Ja sagen. Mit dem ersten Ja dürfen die Server der Plattform gefragt werden, welche Bilder es gibt: api.panoramax.xyz oder die Adresse, die Sie angeben. Sie erfahren die Netzwerkadresse dieses Rechners und die Kartenkacheln, in denen das Gebiet liegt, etwa 2 km breit, nicht seinen Umriss. Ohne das zweite Ja wird Ihnen gesagt, wie viele Bilder mit wie vielen Megabyte und unter welchen Lizenzen es gibt; dann wird nichts geholt und nichts gemacht. Das zweite Ja ist, wie viele Megabyte höchstens geholt werden dürfen, von den Servern, auf denen die Bilder liegen; sie erfahren, welche Bilder geholt werden.

Bei zu wenigen Fahrten sagt nichts, wie sicher Antworten sind: Orte werden gefunden und sind „nicht bewertet“.</translation>
  </message>
  <message>
   <source>Making small pictures of {subject}.</source>
   <translation>Kleine Bilder von {subject} werden gemacht.</translation>
  </message>
  <message>
   <source>Making the folder to hand over.</source>
   <translation>Der Ordner zum Übergeben wird angelegt.</translation>
  </message>
  <message>
   <source>Making the folder…</source>
   <translation>Ordner wird angelegt …</translation>
  </message>
  <message>
   <source>Making the heat map.</source>
   <translation>Die Heatmap wird gemacht.</translation>
  </message>
  <message>
   <source>Managed environment</source>
   <translation>Verwaltete Umgebung</translation>
  </message>
  <message>
   <source>Map follows</source>
   <translation>Karte folgt</translation>
  </message>
  <message>
   <source>Map picture</source>
   <translation>Kartenbild</translation>
  </message>
  <message>
   <source>Map's coordinate system</source>
   <translation>Koordinatenbezugssystem der Karte</translation>
  </message>
  <message>
   <source>Map's time</source>
   <translation>Zeit der Karte</translation>
  </message>
  <message>
   <source>Maps how probable each place of an area is, given a video.</source>
   <translation>Zeigt auf einer Karte, wie wahrscheinlich jeder Ort eines Gebiets ist, nach einem Video.</translation>
  </message>
  <message>
   <source>Maps how probable each place of an area is, given a video: a GeoTIFF whose cells sum to 1 over the area.

One band for the whole video, the mean of its frames, or a band a frame. Where several places look alike, the map shows them all, which a single point cannot.</source>
   <translation>Zeigt auf einer Karte, wie wahrscheinlich jeder Ort eines Gebiets ist, nach einem Video: ein GeoTIFF, dessen Zellen über das Gebiet zusammen 1 ergeben.

Ein Kanal für das ganze Video, der Mittelwert seiner Bilder, oder ein Kanal je Bild. Sehen mehrere Orte gleich aus, zeigt die Karte sie alle; ein einzelner Punkt kann das nicht.</translation>
  </message>
  <message>
   <source>Match roads</source>
   <translation>Straßen zuordnen</translation>
  </message>
  <message>
   <source>Matched trajectory</source>
   <translation>Zugeordnete Trajektorie</translation>
  </message>
  <message>
   <source>May be passed on</source>
   <translation>Darf weitergegeben werden</translation>
  </message>
  <message>
   <source>Mean confidence; none where no frame is rated</source>
   <translation>Mittlere Konfidenz; keine, wenn kein Bild bewertet ist</translation>
  </message>
  <message>
   <source>Mean error (m)</source>
   <translation>Mittlerer Fehler (m)</translation>
  </message>
  <message>
   <source>Mean probability that the camera was within the confidence radius of the point</source>
   <translation>Mittlere Wahrscheinlichkeit, dass die Kamera innerhalb des Konfidenzradius um den Punkt war</translation>
  </message>
  <message>
   <source>Mean probability that the camera was within {radius:g} m of the point</source>
   <translation>Mittlere Wahrscheinlichkeit, dass die Kamera höchstens {radius:g} m vom Punkt entfernt war</translation>
  </message>
  <message>
   <source>Mean range difference (m)</source>
   <translation>Mittlere Differenz der Ausdehnung (m)</translation>
  </message>
  <message>
   <source>Mean range difference (°)</source>
   <translation>Mittlere Differenz der Ausdehnung (°)</translation>
  </message>
  <message>
   <source>Measuring how long the places and frames take.</source>
   <translation>Es wird gemessen, wie lange Orte und Bilder dauern.</translation>
  </message>
  <message>
   <source>Median error (m)</source>
   <translation>Median des Fehlers (m)</translation>
  </message>
  <message>
   <source>Median error of Phase I (m)</source>
   <translation>Median des Fehlers von Phase I (m)</translation>
  </message>
  <message>
   <source>Median error of Phase I on held-out frames (m)</source>
   <translation>Median des Fehlers von Phase I auf zurückgehaltenen Bildern (m)</translation>
  </message>
  <message>
   <source>Median error on frames that were held out, with Phase I: {error:,.1f} m.</source>
   <translation>Median des Fehlers auf zurückgehaltenen Bildern, mit Phase I: {error:,.1f} m.</translation>
  </message>
  <message>
   <source>Median error on frames that were held out, with both phases: {error:,.1f} m.</source>
   <translation>Median des Fehlers auf zurückgehaltenen Bildern, mit beiden Phasen: {error:,.1f} m.</translation>
  </message>
  <message>
   <source>Median error on held-out frames (m)</source>
   <translation>Median des Fehlers auf zurückgehaltenen Bildern (m)</translation>
  </message>
  <message>
   <source>Median error {median_m:,.1f} m over {compared} frames.</source>
   <translation>Median des Fehlers: {median_m:,.1f} m; verglichene Bilder: {compared}.</translation>
  </message>
  <message>
   <source>Median move of a frame (m)</source>
   <translation>Median der Verschiebung eines Bildes (m)</translation>
  </message>
  <message>
   <source>Merging the results into one file.</source>
   <translation>Die Ergebnisse werden in einer Datei vereint.</translation>
  </message>
  <message>
   <source>Metrics (JSON)</source>
   <translation>Maße (JSON)</translation>
  </message>
  <message>
   <source>More of them: LAT,LON,METRES each, such as 55.7047,13.1910,300, on lines of their own or with ; between them.</source>
   <translation>Weitere Privatzonen: je BREITE,LÄNGE,METER, etwa 55.7047,13.1910,300, jede auf einer eigenen Zeile oder mit ; getrennt.</translation>
  </message>
  <message>
   <source>More videos, each with what holds of it alone: a layer or a file (CSV, GeoPackage, spreadsheet) with the columns file and, as they are known, start_time, from, to (seconds) and area (a file of polygons). Paths are relative to the table's folder. With a table the area above may be left empty; rows without one are then searched where the checkpoint was trained.</source>
   <translation>Weitere Videos, jedes mit dem, was nur für dieses gilt: ein Layer oder eine Datei (CSV, GeoPackage, Tabelle) mit der Spalte file und, soweit bekannt, start_time, from, to (Sekunden) und area (eine Datei mit Polygonen). Pfade gelten vom Ordner der Tabelle aus. Mit einer Tabelle kann das Gebiet oben leer bleiben; Zeilen ohne Gebiet werden dann dort gesucht, wo der Checkpoint trainiert ist.</translation>
  </message>
  <message>
   <source>Most pictures of a drive</source>
   <translation>Höchstens Bilder je Fahrt</translation>
  </message>
  <message>
   <source>Motion track</source>
   <translation>Bewegungstrack</translation>
  </message>
  <message>
   <source>Move environments and caches from {old} to {new}?</source>
   <translation>Umgebungen und Caches von {old} nach {new} verschieben?</translation>
  </message>
  <message>
   <source>Move the mouse along the track on the map: the video follows</source>
   <translation>Fahren Sie mit der Maus auf der Karte den Weg entlang: das Video folgt</translation>
  </message>
  <message>
   <source>Move there</source>
   <translation>Dorthin verschieben</translation>
  </message>
  <message>
   <source>Move through the video</source>
   <translation>Durch das Video gehen</translation>
  </message>
  <message>
   <source>Moves each frame's own pick to the best place between the grid points. A decoded line lies between them anyway.</source>
   <translation>Verschiebt die eigene Wahl jedes Bildes an den besten Ort zwischen den Rasterorten. Eine dekodierte Linie liegt ohnehin dazwischen.</translation>
  </message>
  <message>
   <source>NVIDIA graphics card</source>
   <translation>Grafikkarte von NVIDIA</translation>
  </message>
  <message>
   <source>Name of the video to compare, where the result holds several and the times do not tell.</source>
   <translation>Name des Videos, das verglichen wird, wenn das Ergebnis mehrere enthält und die Zeiten nichts sagen.</translation>
  </message>
  <message>
   <source>Name that your pictures' licence asks for.</source>
   <translation>Name, den die Lizenz Ihrer Bilder verlangt.</translation>
  </message>
  <message>
   <source>Next frame</source>
   <translation>Nächstes Bild</translation>
  </message>
  <message>
   <source>No area is given: videos without one of their own are sought where the reference images lie or the checkpoint was trained, or with a worldwide one on the world's land.</source>
   <translation>Es ist kein Gebiet angegeben: Videos ohne eigenes werden dort gesucht, wo die Referenzbilder liegen oder der Checkpoint trainiert ist, oder mit einem weltweiten auf dem Land der Erde.</translation>
  </message>
  <message>
   <source>No engine is installed in it, so it runs the one that came with the plugin.</source>
   <translation>Darin ist keine Engine installiert, also führt es die aus, die mit der Erweiterung kam.</translation>
  </message>
  <message>
   <source>No position of the truth {name!r} has a time: give a layer with a date and time field.</source>
   <translation>Keine der wahren Positionen „{name}“ hat eine Zeit: Geben Sie einen Layer mit einem Feld für Datum und Zeit an.</translation>
  </message>
  <message>
   <source>No probability will be shown: {not_rated}.</source>
   <translation>Es wird keine Wahrscheinlichkeit gezeigt: {not_rated}.</translation>
  </message>
  <message>
   <source>No road of {name!r} lies in the area: give the roads of this place, or select some there.</source>
   <translation>Keine Straße von „{name}“ liegt im Gebiet: Geben Sie die Straßen dieses Ortes an, oder wählen Sie dort welche aus.</translation>
  </message>
  <message>
   <source>No road of {name!r} lies near the line: give the roads of its place, or select some there.</source>
   <translation>Keine Straße von „{name}“ liegt nahe der Linie: Geben Sie die Straßen ihres Ortes an, oder wählen Sie dort welche aus.</translation>
  </message>
  <message>
   <source>No scores were kept: so wide an area is not decoded as a whole. Pins need a smaller one.</source>
   <translation>Es wurden keine Bewertungen behalten: Ein so weites Gebiet wird nicht als Ganzes dekodiert. Pins brauchen ein kleineres.</translation>
  </message>
  <message>
   <source>None</source>
   <translation>Keine</translation>
  </message>
  <message>
   <source>None is there now. After a run it stays for a while, so that the next one begins at once; it ends with QGIS.</source>
   <translation>Zurzeit ist keine da. Nach einem Lauf bleibt sie eine Weile, damit der nächste sofort beginnt; sie endet mit QGIS.</translation>
  </message>
  <message>
   <source>Not found, so without pictures: {videos}.</source>
   <translation>Nicht gefunden, also ohne Bilder: {videos}.</translation>
  </message>
  <message>
   <source>Not here</source>
   <translation>Nicht hier</translation>
  </message>
  <message>
   <source>Not here…</source>
   <translation>Nicht hier …</translation>
  </message>
  <message>
   <source>Not in this area</source>
   <translation>Nicht in diesem Gebiet</translation>
  </message>
  <message>
   <source>Not rated</source>
   <translation>Nicht bewertet</translation>
  </message>
  <message>
   <source>Not rated: the places are ranked, and nothing says how likely each is.</source>
   <translation>Nicht bewertet: Die Orte sind geordnet, und nichts sagt, wie wahrscheinlich jeder ist.</translation>
  </message>
  <message>
   <source>Not saved: {problem}</source>
   <translation>Nicht gespeichert: {problem}</translation>
  </message>
  <message>
   <source>Not usable, as far as its files tell: {python}, from {source}, has no PyTorch. 'Check' starts it and tells for sure.</source>
   <translation>Nach seinen Dateien nicht brauchbar: {python}, aus: {source}, hat kein PyTorch. „Prüfen“ startet es und sagt es sicher.</translation>
  </message>
  <message>
   <source>Not written yet: {count}. {why}</source>
   <translation>Noch nicht geschrieben: {count}. {why}</translation>
  </message>
  <message>
   <source>Note…</source>
   <translation>Notiz …</translation>
  </message>
  <message>
   <source>Nothing is selected in {name}: select the polygons that you mean.</source>
   <translation>In {name} ist nichts gewählt: Wählen Sie die Polygone, die Sie meinen.</translation>
  </message>
  <message>
   <source>Nothing lies outside.</source>
   <translation>Nichts liegt außerhalb.</translation>
  </message>
  <message>
   <source>Nothing was fetched and nothing was made. If you agree, run it again with at least {estimated_mb:,} as '{yes}'.</source>
   <translation>Es wurde nichts geholt und nichts gemacht. Wenn Sie zustimmen, starten Sie noch einmal mit mindestens {estimated_mb:,} bei „{yes}“.</translation>
  </message>
  <message>
   <source>Nothing was made. Run it again with any number as '{yes}' to go on: nothing has to be fetched.</source>
   <translation>Es wurde nichts gemacht. Starten Sie noch einmal mit einer beliebigen Zahl bei „{yes}“, um fortzufahren: Es muss nichts geholt werden.</translation>
  </message>
  <message>
   <source>Now click its place on the map.</source>
   <translation>Klicken Sie jetzt seinen Ort auf der Karte an.</translation>
  </message>
  <message>
   <source>Number of each pin's frame. Empty: by time_s, where there is such a field, else frame_index.</source>
   <translation>Nummer des Bildes jedes Pins. Leer: nach time_s, wenn es ein solches Feld gibt, sonst frame_index.</translation>
  </message>
  <message>
   <source>Numbers kept of a band</source>
   <translation>Behaltene Zahlen je Band</translation>
  </message>
  <message>
   <source>Of a source one picture is taken of each spot of this size and each eighth of the horizon, the newest.</source>
   <translation>Von einer Quelle wird je Platz dieser Größe und je Achtel des Horizonts ein Bild genommen, das neueste.</translation>
  </message>
  <message>
   <source>Of a source. Empty: any number.</source>
   <translation>Von einer Quelle. Leer: beliebig viele.</translation>
  </message>
  <message>
   <source>Of each of a picture's four or eight bands, one byte each.</source>
   <translation>Von jedem der vier oder acht Bänder eines Bildes, je ein Byte.</translation>
  </message>
  <message>
   <source>Of each video the answer of 'Solve with pins', where there is one, else the model's own; or always the model's own; or the one that was solved with pins, refused where nothing was.</source>
   <translation>Von jedem Video die Antwort von „Mit Pins lösen“, wenn es eine gibt, sonst die eigene des Modells; oder immer die eigene des Modells; oder die mit Pins gelöste, die abgelehnt wird, wo keine ist.</translation>
  </message>
  <message>
   <source>Of every video and level the five likeliest places, as polygons.</source>
   <translation>Von jedem Video und jeder Ebene die fünf wahrscheinlichsten Orte, als Polygone.</translation>
  </message>
  <message>
   <source>Of everything random, so that a run can be repeated.</source>
   <translation>Für alles Zufällige, damit sich ein Lauf wiederholen lässt.</translation>
  </message>
  <message>
   <source>Of home zones that are points.</source>
   <translation>Von Privatzonen, die Punkte sind.</translation>
  </message>
  <message>
   <source>Of no known city; these are the nearest</source>
   <translation>Aus keiner bekannten Stadt; diese sind am nächsten</translation>
  </message>
  <message>
   <source>Of the camera: walk (8 km/h), bicycle (45), car (160), drone (80), or a number in km/h. No step of the decoded line is longer than it allows, but where the camera must have been carried off. Empty: nothing is known of it.</source>
   <translation>Der Kamera: walk (8 km/h), bicycle (45), car (160), drone (80), oder eine Zahl in km/h. Kein Schritt der dekodierten Linie ist länger, als sie erlaubt, außer wo die Kamera getragen worden sein muss. Leer: Nichts ist darüber bekannt.</translation>
  </message>
  <message>
   <source>Of your own pictures, such as CC-BY-SA-4.0.</source>
   <translation>Von Ihren eigenen Bildern, etwa CC-BY-SA-4.0.</translation>
  </message>
  <message>
   <source>Off (px)</source>
   <translation>Ab (px)</translation>
  </message>
  <message>
   <source>Older</source>
   <translation>Älter</translation>
  </message>
  <message>
   <source>Oldest (years)</source>
   <translation>Älteste (Jahre)</translation>
  </message>
  <message>
   <source>On disk (MB)</source>
   <translation>Auf der Platte (MB)</translation>
  </message>
  <message>
   <source>On the map</source>
   <translation>Auf der Karte</translation>
  </message>
  <message>
   <source>On this machine ({device}): about {gallery_s:,.0f} s once for {embedded_points:,} places, and about {frame_s:.2f} s a frame.</source>
   <translation>Auf diesem Rechner ({device}): etwa {gallery_s:,.0f} s einmalig für {embedded_points:,} Orte, und etwa {frame_s:.2f} s je Bild.</translation>
  </message>
  <message>
   <source>One a frame</source>
   <translation>Einer je Bild</translation>
  </message>
  <message>
   <source>One band for the whole video, the mean of its frames; or a band a frame.</source>
   <translation>Ein Kanal für das ganze Video, der Mittelwert seiner Bilder; oder ein Kanal je Bild.</translation>
  </message>
  <message>
   <source>One folder at a time: take the others off the list, or make a folder that holds them all.</source>
   <translation>Nur ein Ordner auf einmal: Nehmen Sie die anderen von der Liste, oder machen Sie einen Ordner, der alle enthält.</translation>
  </message>
  <message>
   <source>One for the whole video</source>
   <translation>Einer für das ganze Video</translation>
  </message>
  <message>
   <source>One frame, 50 %</source>
   <translation>Ein Bild, 50 %</translation>
  </message>
  <message>
   <source>One frame, 90 %</source>
   <translation>Ein Bild, 90 %</translation>
  </message>
  <message>
   <source>One to three years</source>
   <translation>Ein bis drei Jahre</translation>
  </message>
  <message>
   <source>Only if asked for.</source>
   <translation>Nur wenn gewünscht.</translation>
  </message>
  <message>
   <source>Open 'Geolocate video' with what is chosen here</source>
   <translation>„Video verorten“ öffnen, mit dem, was hier gewählt ist</translation>
  </message>
  <message>
   <source>Open log</source>
   <translation>Protokoll öffnen</translation>
  </message>
  <message>
   <source>Open on {host}…</source>
   <translation>Auf {host} öffnen …</translation>
  </message>
  <message>
   <source>Open the page</source>
   <translation>Seite öffnen</translation>
  </message>
  <message>
   <source>Opens your browser. {host} learns your computer's address and this place.</source>
   <translation>Öffnet Ihren Browser. {host} erfährt die Adresse Ihres Rechners und diesen Ort.</translation>
  </message>
  <message>
   <source>Overwrite</source>
   <translation>Überschreiben</translation>
  </message>
  <message>
   <source>Own photographs with EXIF positions, which are one sequence.</source>
   <translation>Eigene Fotos mit EXIF-Positionen, die eine Folge sind.</translation>
  </message>
  <message>
   <source>Own picture</source>
   <translation>Eigenes Bild</translation>
  </message>
  <message>
   <source>Own picture: place and picture are not kept in this result; geolocate with 'Share places' to see it.</source>
   <translation>Eigenes Bild: Ort und Bild stehen nicht in diesem Ergebnis; verorten Sie mit „Orte teilen“, um es zu sehen.</translation>
  </message>
  <message>
   <source>Own pictures nearer than this to the one before are left out: the camera stood.</source>
   <translation>Eigene Bilder, die näher am vorigen liegen, werden weggelassen: Die Kamera stand.</translation>
  </message>
  <message>
   <source>Own videos and pictures</source>
   <translation>Eigene Videos und Bilder</translation>
  </message>
  <message>
   <source>Own videos whose way is known.</source>
   <translation>Eigene Videos, deren Weg bekannt ist.</translation>
  </message>
  <message>
   <source>Package</source>
   <translation>Paket</translation>
  </message>
  <message>
   <source>Passing over videos that are done.</source>
   <translation>Fertige Videos werden übergangen.</translation>
  </message>
  <message>
   <source>Pause</source>
   <translation>Anhalten</translation>
  </message>
  <message>
   <source>Pick on map</source>
   <translation>Auf Karte wählen</translation>
  </message>
  <message>
   <source>Picture</source>
   <translation>Bild</translation>
  </message>
  <message>
   <source>Picture of the frame</source>
   <translation>Bild des Zeitpunkts</translation>
  </message>
  <message>
   <source>Picture of {source}, which states no licence: place and picture are not kept in this result.</source>
   <translation>Bild von {source}, das keine Lizenz nennt: Ort und Bild stehen nicht in diesem Ergebnis.</translation>
  </message>
  <message>
   <source>Picture to click landmarks in</source>
   <translation>Bild, in dem Landmarken angeklickt werden</translation>
  </message>
  <message>
   <source>Pictures are from '{title}': leave videos, tracks and folders empty, or choose '{own}'.</source>
   <translation>Die Bilder stammen aus „{title}“: Lassen Sie Videos, Tracks und Ordner leer, oder wählen Sie „{own}“.</translation>
  </message>
  <message>
   <source>Pictures from</source>
   <translation>Bilder aus</translation>
  </message>
  <message>
   <source>Pictures in map tips</source>
   <translation>Bilder in Kartenhinweisen</translation>
  </message>
  <message>
   <source>Pictures outside are left out. A platform is asked about it; of your own, empty: all are taken.</source>
   <translation>Bilder außerhalb werden weggelassen. Eine Plattform wird danach gefragt; bei eigenen, leer: Alle werden genommen.</translation>
  </message>
  <message>
   <source>Pictures there are left out and not even fetched: polygons whole, points with the radius below. With 'Selected features only', the selected ones.</source>
   <translation>Bilder darin werden weggelassen und nicht einmal geholt: Polygone ganz, Punkte mit dem Radius unten. Mit „Nur gewählte Objekte“ die gewählten.</translation>
  </message>
  <message>
   <source>Pictures to be fetched, where that was only asked</source>
   <translation>Bilder, die zu holen wären, wenn nur danach gefragt wurde</translation>
  </message>
  <message>
   <source>Pin</source>
   <translation>Pin</translation>
  </message>
  <message>
   <source>Pin here…</source>
   <translation>Pin hier …</translation>
  </message>
  <message>
   <source>Pin not here…</source>
   <translation>Pin nicht hier …</translation>
  </message>
  <message>
   <source>Pin there</source>
   <translation>Dort Pin setzen</translation>
  </message>
  <message>
   <source>Pin {number} is changed.</source>
   <translation>Pin {number} ist geändert.</translation>
  </message>
  <message>
   <source>Pin {number} is set at {time:g} s of {video}, in {file}. 'Solve with pins' takes it.</source>
   <translation>Pin {number} ist bei {time:g} s von {video} gesetzt, in {file}. „Mit Pins lösen“ nimmt ihn.</translation>
  </message>
  <message>
   <source>Pin {number} is set at {time:g} s of {video}.</source>
   <translation>Pin {number} ist bei {time:g} s von {video} gesetzt.</translation>
  </message>
  <message>
   <source>Pin {number} of {name!r}</source>
   <translation>Pin {number} von „{name}“</translation>
  </message>
  <message>
   <source>Pins</source>
   <translation>Pins</translation>
  </message>
  <message>
   <source>Pins (input)</source>
   <translation>Pins (Eingabe)</translation>
  </message>
  <message>
   <source>Pins lie beside the result, and that of this layer is not there: add the layer frames of the GeoPackage itself.</source>
   <translation>Pins liegen neben dem Ergebnis, und das dieses Layers ist nicht da: Fügen Sie den Layer frames des GeoPackage selbst hinzu.</translation>
  </message>
  <message>
   <source>Place of the frame that is shown</source>
   <translation>Ort des gezeigten Bildes</translation>
  </message>
  <message>
   <source>Places between the grid points</source>
   <translation>Orte zwischen den Rasterorten</translation>
  </message>
  <message>
   <source>Play</source>
   <translation>Abspielen</translation>
  </message>
  <message>
   <source>Play or pause (space). L plays, and faster when pressed again; J plays backwards; K stops.</source>
   <translation>Abspielen oder anhalten (Leertaste). L spielt ab, noch einmal gedrückt schneller; J rückwärts; K hält an.</translation>
  </message>
  <message>
   <source>Points</source>
   <translation>Punkte</translation>
  </message>
  <message>
   <source>Points to compute</source>
   <translation>Zu berechnende Punkte</translation>
  </message>
  <message>
   <source>Points where the camera was, or was not. Empty: those of the review file beside the result.</source>
   <translation>Punkte, an denen die Kamera war oder nicht war. Leer: die der Beurteilungsdatei neben dem Ergebnis.</translation>
  </message>
  <message>
   <source>Polygons: a layer or a vector file; with 'Selected features only', the selected ones. Or give an extent.</source>
   <translation>Polygone: ein Layer oder eine Vektordatei; mit „Nur gewählte Objekte“ die gewählten. Oder geben Sie eine Ausdehnung an.</translation>
  </message>
  <message>
   <source>Posterior of frame {number} ({video})</source>
   <translation>Verteilung von Bild {number} ({video})</translation>
  </message>
  <message>
   <source>Posterior of frame {number}: {cells} squares hold {share} of it.</source>
   <translation>Verteilung von Bild {number}: {cells} Quadrate enthalten {share} davon.</translation>
  </message>
  <message>
   <source>Posterior of frame {number}: {cells} squares, ranked; not rated.</source>
   <translation>Verteilung von Bild {number}: {cells} Quadrate, geordnet; nicht bewertet.</translation>
  </message>
  <message>
   <source>Probability that the camera was within the confidence radius of the point</source>
   <translation>Wahrscheinlichkeit, dass die Kamera innerhalb des Konfidenzradius um den Punkt war</translation>
  </message>
  <message>
   <source>Probability that the camera was within the confidence radius, at the less sure end</source>
   <translation>Wahrscheinlichkeit, dass die Kamera innerhalb des Konfidenzradius war, am unsichereren Ende</translation>
  </message>
  <message>
   <source>Probability that the camera was within {radius:g} m of the point</source>
   <translation>Wahrscheinlichkeit, dass die Kamera höchstens {radius:g} m vom Punkt entfernt war</translation>
  </message>
  <message>
   <source>Probability that the camera was within {radius:g} m, at the less sure end</source>
   <translation>Wahrscheinlichkeit, dass die Kamera höchstens {radius:g} m entfernt war, am unsichereren Ende</translation>
  </message>
  <message>
   <source>Probability that the video was taken here</source>
   <translation>Wahrscheinlichkeit, dass das Video hier aufgenommen wurde</translation>
  </message>
  <message>
   <source>Probability that they have together</source>
   <translation>Wahrscheinlichkeit, die sie zusammen haben</translation>
  </message>
  <message>
   <source>Processing does not know {name}: switch the provider VidTAG on in its options.</source>
   <translation>Die Verarbeitung kennt {name} nicht: Schalten Sie den Anbieter VidTAG in ihren Optionen ein.</translation>
  </message>
  <message>
   <source>Processor (CPU)</source>
   <translation>Prozessor (CPU)</translation>
  </message>
  <message>
   <source>PyTorch for</source>
   <translation>PyTorch für</translation>
  </message>
  <message>
   <source>PyTorch's index</source>
   <translation>Index für PyTorch</translation>
  </message>
  <message>
   <source>QGIS ended before it was written.</source>
   <translation>QGIS wurde beendet, bevor es geschrieben war.</translation>
  </message>
  <message>
   <source>Quality of the JPEGs</source>
   <translation>Qualität der JPEGs</translation>
  </message>
  <message>
   <source>Radius (m)</source>
   <translation>Radius (m)</translation>
  </message>
  <message>
   <source>Radius about points (m)</source>
   <translation>Radius um Punkte (m)</translation>
  </message>
  <message>
   <source>Reading the area and the checkpoint.</source>
   <translation>Gebiet und Checkpoint werden gelesen.</translation>
  </message>
  <message>
   <source>Reading the checkpoint.</source>
   <translation>Der Checkpoint wird gelesen.</translation>
  </message>
  <message>
   <source>Reading the videos and their tracks.</source>
   <translation>Die Videos und ihre Tracks werden gelesen.</translation>
  </message>
  <message>
   <source>Reading the video…</source>
   <translation>Das Video wird gelesen …</translation>
  </message>
  <message>
   <source>Reading {subject}.</source>
   <translation>Gelesen wird {subject}.</translation>
  </message>
  <message>
   <source>Reads the videos once and keeps a small picture of each frame in a file beside the result</source>
   <translation>Liest die Videos einmal und legt von jedem Bild eine Verkleinerung in einer Datei neben dem Ergebnis ab</translation>
  </message>
  <message>
   <source>Ready to geolocate with checkpoints of your own</source>
   <translation>Bereit, mit eigenen Checkpoints zu verorten</translation>
  </message>
  <message>
   <source>Recipe</source>
   <translation>Rezept</translation>
  </message>
  <message>
   <source>Reckoning…</source>
   <translation>Wird berechnet …</translation>
  </message>
  <message>
   <source>Reference image</source>
   <translation>Referenzbild</translation>
  </message>
  <message>
   <source>Reference images</source>
   <translation>Referenzbilder</translation>
  </message>
  <message>
   <source>Reference images (folder)</source>
   <translation>Referenzbilder (Ordner)</translation>
  </message>
  <message>
   <source>Reference images as a layer</source>
   <translation>Referenzbilder als Layer</translation>
  </message>
  <message>
   <source>Reference images that speak for frames</source>
   <translation>Referenzbilder, die für Bilder sprechen</translation>
  </message>
  <message>
   <source>Regions come from locating all frames together: choose that under 'Frames are located', or leave out the confidence regions.</source>
   <translation>Regionen entstehen, wenn alle Bilder zusammen verortet werden: Wählen Sie das unter „Bilder werden verortet“, oder lassen Sie die Konfidenzregionen weg.</translation>
  </message>
  <message>
   <source>Regions, with pins</source>
   <translation>Regionen, mit Pins</translation>
  </message>
  <message>
   <source>Reject</source>
   <translation>Verwerfen</translation>
  </message>
  <message>
   <source>Remove</source>
   <translation>Entfernen</translation>
  </message>
  <message>
   <source>Remove the environment in {folder}?</source>
   <translation>Die Umgebung in {folder} entfernen?</translation>
  </message>
  <message>
   <source>Removing {folder}: this takes a while, and QGIS can be used meanwhile.</source>
   <translation>{folder} wird entfernt: Das dauert eine Weile, und QGIS lässt sich inzwischen benutzen.</translation>
  </message>
  <message>
   <source>Replaces whatever lies at the outputs. Otherwise only this tool's own files of the same kind are replaced. What is read by the same run, and what is being edited in QGIS, is never replaced.</source>
   <translation>Ersetzt, was auch immer an den Ausgaben liegt. Sonst werden nur eigene Dateien dieses Werkzeugs von derselben Art ersetzt. Was derselbe Lauf liest und was in QGIS bearbeitet wird, wird nie ersetzt.</translation>
  </message>
  <message>
   <source>Report</source>
   <translation>Bericht</translation>
  </message>
  <message>
   <source>Report (text)</source>
   <translation>Bericht (Text)</translation>
  </message>
  <message>
   <source>Result</source>
   <translation>Ergebnis</translation>
  </message>
  <message>
   <source>Result (input)</source>
   <translation>Ergebnis (Eingabe)</translation>
  </message>
  <message>
   <source>Result with the matched line</source>
   <translation>Ergebnis mit der zugeordneten Linie</translation>
  </message>
  <message>
   <source>Review</source>
   <translation>Beurteilung</translation>
  </message>
  <message>
   <source>Roads</source>
   <translation>Straßen</translation>
  </message>
  <message>
   <source>Roads (input)</source>
   <translation>Straßen (Eingabe)</translation>
  </message>
  <message>
   <source>Row {number} of {table}, column {column}</source>
   <translation>Zeile {number} von {table}, Spalte {column}</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Starten</translation>
  </message>
  <message>
   <source>Says</source>
   <translation>Besagt</translation>
  </message>
  <message>
   <source>Says how a result stands and what to do next, for scripts and agents that drive QGIS: each step has a word that stays the same (id), why in a sentence, the command line, and the algorithm with its parameters. Capitals in values stand for what only you know.

Without a result it says how to begin. Without an engine the only step is to create its environment. Nothing is written.</source>
   <translation>Sagt, wie es um ein Ergebnis steht und was als Nächstes zu tun ist, für Skripte und Agenten, die QGIS steuern: Jeder Schritt hat ein Wort, das gleich bleibt (id), warum in einem Satz, die Kommandozeile und den Algorithmus mit seinen Parametern. Großbuchstaben in Werten stehen für das, was nur Sie wissen.

Ohne Ergebnis sagt es, wie man beginnt. Ohne Engine ist der einzige Schritt, ihre Umgebung zu erstellen. Geschrieben wird nichts.</translation>
  </message>
  <message>
   <source>Says what is installed, which device computes, which weights are found, and what to do about what is missing.

The report has no user name and no file names: paste it into an issue when something does not work. It runs without an engine, too, and then says why there is none.</source>
   <translation>Sagt, was installiert ist, welches Gerät rechnet, welche Gewichte gefunden werden und was gegen Fehlendes zu tun ist.

Der Bericht ist auf Englisch und enthält weder Benutzernamen noch Dateinamen: Fügen Sie ihn in eine Fehlermeldung ein, wenn etwas nicht geht. Er läuft auch ohne Engine und sagt dann, warum keine da ist.</translation>
  </message>
  <message>
   <source>Says which city, state, country and continent videos were taken in, of those that a checkpoint knows.</source>
   <translation>Sagt, in welcher Stadt, welchem Bundesstaat, Land und Kontinent Videos aufgenommen wurden, von denen, die ein Checkpoint kennt.</translation>
  </message>
  <message>
   <source>Says which of the cities that a checkpoint knows each video was taken in, or that it was taken in none of them.

Give one or more videos and a checkpoint of cities, which train-city makes on the command line. Each city lies in a state, a country and a continent, and each of these levels has its five likeliest places, with the probability that the video was taken there.

The layer of likely places holds the fewest that together have 90 %, or what you choose, at most five a video. Give it as the area of interest to 'Geolocate video', or join the two in a model. The GeoPackage holds all levels.

A video that is unlike those of every known city has no likely place, and the log says why. Places whose probability nothing has calibrated are 'not rated': they are in order, and all five are taken.</source>
   <translation>Sagt, in welcher der Städte, die ein Checkpoint kennt, jedes Video aufgenommen wurde, oder dass es in keiner davon war.

Geben Sie ein oder mehrere Videos und einen Checkpoint für Städte an, den train-city auf der Kommandozeile macht. Jede Stadt liegt in einem Bundesstaat, einem Land und einem Kontinent, und jede dieser Ebenen hat ihre fünf wahrscheinlichsten Orte, mit der Wahrscheinlichkeit, dass das Video dort aufgenommen wurde.

Der Layer der wahrscheinlichen Orte enthält die wenigsten, die zusammen 90 % haben, oder was Sie wählen, höchstens fünf je Video. Geben Sie ihn als Gebiet in „Video verorten“ an, oder verbinden Sie beide in einem Modell. Das GeoPackage enthält alle Ebenen.

Ein Video, das denen keiner bekannten Stadt gleicht, hat keinen wahrscheinlichen Ort, und das Protokoll sagt, warum. Orte, deren Wahrscheinlichkeit nichts kalibriert hat, sind „nicht bewertet“: Sie stehen in ihrer Reihenfolge, und alle fünf werden genommen.</translation>
  </message>
  <message>
   <source>Scales of the location encoder</source>
   <translation>Maßstäbe des Orts-Encoders</translation>
  </message>
  <message>
   <source>Scores for pins are kept of frames that are located together: choose that under 'Frames are located', or do not keep scores.</source>
   <translation>Bewertungen für Pins werden von Bildern behalten, die zusammen verortet werden: Wählen Sie das unter „Bilder werden verortet“, oder behalten Sie keine Bewertungen.</translation>
  </message>
  <message>
   <source>Scores for pins take {size:.1f} MB beside the result.</source>
   <translation>Bewertungen für Pins brauchen {size:.1f} MB neben dem Ergebnis.</translation>
  </message>
  <message>
   <source>Seconds added to the truth's clock, such as 2.5 where it is 2.5 s behind the video's. auto: found from when the picture turns and the track does, and added only where that is sure. Empty: none.</source>
   <translation>Sekunden, die zur Uhr der wahren Positionen gezählt werden, etwa 2.5, wenn sie 2,5 s hinter der des Videos geht. auto: wird daran gefunden, wann Bild und Track sich drehen, und nur dann genommen, wenn es sicher ist. Leer: keine.</translation>
  </message>
  <message>
   <source>Seed</source>
   <translation>Startwert</translation>
  </message>
  <message>
   <source>Seen here…</source>
   <translation>Hier gesehen …</translation>
  </message>
  <message>
   <source>Selected features only</source>
   <translation>Nur gewählte Objekte</translation>
  </message>
  <message>
   <source>Set up the engine…</source>
   <translation>Engine einrichten …</translation>
  </message>
  <message>
   <source>Setting the pin…</source>
   <translation>Der Pin wird gesetzt …</translation>
  </message>
  <message>
   <source>Settings &gt; Options &gt; VidTAG: {problem}</source>
   <translation>Einstellungen &gt; Optionen &gt; VidTAG: {problem}</translation>
  </message>
  <message>
   <source>Several places fit these clicks: add a landmark.</source>
   <translation>Mehrere Orte passen zu diesen Klicks: Fügen Sie eine Landmarke hinzu.</translation>
  </message>
  <message>
   <source>Share of the area with no image within reach, 0 to 1</source>
   <translation>Anteil des Gebiets ohne Bild in Reichweite, 0 bis 1</translation>
  </message>
  <message>
   <source>Share places</source>
   <translation>Orte teilen</translation>
  </message>
  <message>
   <source>Show</source>
   <translation>Zeigen</translation>
  </message>
  <message>
   <source>Show OpenStreetMap under the layers; asks before it fetches anything</source>
   <translation>OpenStreetMap unter den Layern zeigen; fragt, bevor etwas geholt wird</translation>
  </message>
  <message>
   <source>Show a frame first, under 'Check frames'.</source>
   <translation>Zeigen Sie zuerst ein Bild, unter „Bilder prüfen“.</translation>
  </message>
  <message>
   <source>Show everything</source>
   <translation>Alles zeigen</translation>
  </message>
  <message>
   <source>Show on the map how likely the frame is of each place of the grid</source>
   <translation>Auf der Karte zeigen, wie wahrscheinlich das Bild von jedem Ort des Gitters ist</translation>
  </message>
  <message>
   <source>Shown are the settings of the last run with no area, {at}: {facts}.</source>
   <translation>Gezeigt sind die Einstellungen des letzten Laufs ohne Gebiet, {at}: {facts}.</translation>
  </message>
  <message>
   <source>Shown are the settings of the last run with the area {area}, {at}: {facts}.</source>
   <translation>Gezeigt sind die Einstellungen des letzten Laufs mit dem Gebiet {area}, {at}: {facts}.</translation>
  </message>
  <message>
   <source>Shows a database's reference images, by age, and the gaps between them.</source>
   <translation>Zeigt die Referenzbilder einer Datenbank nach ihrem Alter, und die Lücken dazwischen.</translation>
  </message>
  <message>
   <source>Shows the candidate places that an area makes at a resolution: how many there are, as a layer if asked for, and how long they take.

Try it before a long run. With a checkpoint, the engine times a sample of the places and of frames on this machine and says how long the whole gallery and each frame will take. The gallery is computed once an area and checkpoint, and kept.</source>
   <translation>Zeigt die möglichen Orte, die ein Gebiet bei einer Rasterweite ergibt: wie viele es sind, auf Wunsch als Layer, und wie lange sie dauern.

Versuchen Sie es vor einem langen Lauf. Mit einem Checkpoint misst die Engine eine Stichprobe der Orte und Bilder auf diesem Rechner und sagt, wie lange alle Rasterorte und jedes Bild dauern werden. Die Rasterorte werden je Gebiet und Checkpoint einmal berechnet und behalten.</translation>
  </message>
  <message>
   <source>Shows what a database of reference images holds, to look at before a video is geolocated by it.

The layer 'images' has a point a picture, coloured by its age, with heading, source, author and licence. The layer 'gaps' shows where the area has no picture within reach: no video can be recognised there.

The layers hold the place of every picture, your own too: pass them on as you would pass on your tracks.</source>
   <translation>Zeigt, was eine Datenbank aus Referenzbildern enthält, damit Sie es ansehen, bevor ein Video damit verortet wird.

Der Layer „images“ hat einen Punkt je Bild, nach Alter gefärbt, mit Blickrichtung, Quelle, Urheber und Lizenz. Der Layer „gaps“ zeigt, wo das Gebiet kein Bild in Reichweite hat: Dort kann kein Video erkannt werden.

Die Layer enthalten den Ort jedes Bildes, auch Ihrer eigenen: Geben Sie sie nur weiter, wie Sie Ihre Tracks weitergeben würden.</translation>
  </message>
  <message>
   <source>Side of a cell (m)</source>
   <translation>Seitenlänge einer Zelle (m)</translation>
  </message>
  <message>
   <source>Similarity heat map</source>
   <translation>Ähnlichkeits-Heatmap</translation>
  </message>
  <message>
   <source>Similarity {similarity:.2f}</source>
   <translation>Ähnlichkeit {similarity:.2f}</translation>
  </message>
  <message>
   <source>Size</source>
   <translation>Größe</translation>
  </message>
  <message>
   <source>Solve with pins</source>
   <translation>Mit Pins lösen</translation>
  </message>
  <message>
   <source>Solved in {seconds:.1f} s: {moved} frames moved.</source>
   <translation>In {seconds:.1f} s gelöst: {moved} Bilder sind verschoben.</translation>
  </message>
  <message>
   <source>Solving with the pins.</source>
   <translation>Es wird mit den Pins gelöst.</translation>
  </message>
  <message>
   <source>Source</source>
   <translation>Quelle</translation>
  </message>
  <message>
   <source>Spot size (m)</source>
   <translation>Größe eines Platzes (m)</translation>
  </message>
  <message>
   <source>Start</source>
   <translation>Anfang</translation>
  </message>
  <message>
   <source>Start of the stretch of each video.</source>
   <translation>Anfang des Abschnitts jedes Videos.</translation>
  </message>
  <message>
   <source>Start of the stretch of the video.</source>
   <translation>Anfang des Abschnitts des Videos.</translation>
  </message>
  <message>
   <source>Start time (UTC)</source>
   <translation>Anfangszeit (UTC)</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>Die Engine wird gestartet …</translation>
  </message>
  <message>
   <source>State</source>
   <translation>Bundesstaat</translation>
  </message>
  <message>
   <source>States</source>
   <translation>Bundesstaaten</translation>
  </message>
  <message>
   <source>Status (JSON)</source>
   <translation>Stand (JSON)</translation>
  </message>
  <message>
   <source>Status and next steps</source>
   <translation>Stand und nächste Schritte</translation>
  </message>
  <message>
   <source>Step of the grid of candidate places, and the side of a cell unless it is given below.</source>
   <translation>Weite des Rasters möglicher Orte, und Seitenlänge einer Zelle, wenn sie unten nicht angegeben ist.</translation>
  </message>
  <message>
   <source>Step of the grid of candidate places. Halving it makes four times as many points. Over the world's land take 1000 m.</source>
   <translation>Weite des Rasters möglicher Orte. Halb so weit ergibt viermal so viele Punkte. Für das Land der Erde nehmen Sie 1000 m.</translation>
  </message>
  <message>
   <source>Step of the grid. Halving it makes four times as many points.</source>
   <translation>Weite des Rasters. Halb so weit ergibt viermal so viele Punkte.</translation>
  </message>
  <message>
   <source>Steps</source>
   <translation>Schritte</translation>
  </message>
  <message>
   <source>Steps and frames with all their attributes.</source>
   <translation>Schritte und Bilder mit allen ihren Attributen.</translation>
  </message>
  <message>
   <source>Steps of Phase I</source>
   <translation>Schritte von Phase I</translation>
  </message>
  <message>
   <source>Steps of Phase II</source>
   <translation>Schritte von Phase II</translation>
  </message>
  <message>
   <source>Still images that are one sequence, in the order of their EXIF times, else of their names.</source>
   <translation>Standbilder, die eine Folge sind, in der Reihenfolge ihrer EXIF-Zeiten, sonst ihrer Namen.</translation>
  </message>
  <message>
   <source>Still images that are one sequence, instead of a video.</source>
   <translation>Standbilder, die eine Folge sind, statt eines Videos.</translation>
  </message>
  <message>
   <source>Stop</source>
   <translation>Anhalten</translation>
  </message>
  <message>
   <source>Stopped; no pictures were written.</source>
   <translation>Abgebrochen; es wurden keine Bilder geschrieben.</translation>
  </message>
  <message>
   <source>Stopping…</source>
   <translation>Wird angehalten …</translation>
  </message>
  <message>
   <source>Streets of the area: a line layer, or a file such as an OpenStreetMap extract (.osm.pbf). The turns, stops and speeds of each video are then compared with them, and the ways that fit are a layer of the result. With 'Selected features only', the selected ones.</source>
   <translation>Straßen des Gebiets: ein Linienlayer oder eine Datei wie ein Auszug aus OpenStreetMap (.osm.pbf). Kurven, Halte und Geschwindigkeiten jedes Videos werden dann damit verglichen, und die passenden Wege sind ein Layer des Ergebnisses. Mit „Nur gewählte Objekte“ die gewählten.</translation>
  </message>
  <message>
   <source>Streets that the shape of the way is compared with</source>
   <translation>Straßen, mit denen die Form des Weges verglichen wird</translation>
  </message>
  <message>
   <source>Stretch begins here</source>
   <translation>Abschnitt beginnt hier</translation>
  </message>
  <message>
   <source>Switched off in Google Earth until they are ticked</source>
   <translation>In Google Earth ausgeschaltet, bis Sie sie ankreuzen</translation>
  </message>
  <message>
   <source>Table of videos</source>
   <translation>Tabelle mit Videos</translation>
  </message>
  <message>
   <source>Take the chosen judgement away</source>
   <translation>Das gewählte Urteil wegnehmen</translation>
  </message>
  <message>
   <source>Take the chosen pin away; none chosen: the last one that was set</source>
   <translation>Den gewählten Pin wegnehmen; ist keiner gewählt, den zuletzt gesetzten</translation>
  </message>
  <message>
   <source>Take the chosen videos off the list; none chosen: all</source>
   <translation>Die gewählten Videos von der Liste nehmen; ist keines gewählt, alle</translation>
  </message>
  <message>
   <source>Telling how the camera moved in {subject}.</source>
   <translation>Es wird bestimmt, wie die Kamera sich bewegt hat: {subject}.</translation>
  </message>
  <message>
   <source>Telling the city of {subject}.</source>
   <translation>Die Stadt wird geschätzt: {subject}.</translation>
  </message>
  <message>
   <source>Telling turns and speeds.</source>
   <translation>Kurven und Geschwindigkeiten werden bestimmt.</translation>
  </message>
  <message>
   <source>The Dask scheduler {address} is not asked, as 'Work offline' opens no connection: all work is done here.</source>
   <translation>Der Dask-Scheduler {address} wird nicht gefragt, weil „Offline arbeiten“ keine Verbindung öffnet: Alle Arbeit geschieht hier.</translation>
  </message>
  <message>
   <source>The Dask scheduler {address} is not asked, as areas are guessed by this computer: all work is done here.</source>
   <translation>Der Dask-Scheduler {address} wird nicht gefragt, weil dieser Rechner Gebiete selbst schätzt: Alle Arbeit geschieht hier.</translation>
  </message>
  <message>
   <source>The Dask scheduler {address} is not asked, as scores for pins are kept by this computer: all work is done here.</source>
   <translation>Der Dask-Scheduler {address} wird nicht gefragt, weil dieser Rechner Bewertungen für Pins selbst behält: Alle Arbeit geschieht hier.</translation>
  </message>
  <message>
   <source>The GeoPackage that 'Geolocate video' wrote, with its scores kept, or a copy of it that this algorithm made.</source>
   <translation>Das GeoPackage, das „Video verorten“ geschrieben hat, mit behaltenen Bewertungen, oder eine Kopie davon, die dieser Algorithmus gemacht hat.</translation>
  </message>
  <message>
   <source>The GeoPackage that 'Geolocate video' wrote.</source>
   <translation>Das GeoPackage, das „Video verorten“ geschrieben hat.</translation>
  </message>
  <message>
   <source>The GeoPackage that 'Geolocate video' wrote. Empty: how to begin.</source>
   <translation>Das GeoPackage, das „Video verorten“ geschrieben hat. Leer: wie man beginnt.</translation>
  </message>
  <message>
   <source>The GeoPackage {path} is no result of 'Geolocate video': it has no layer {layer}.</source>
   <translation>Das GeoPackage {path} ist kein Ergebnis von „Video verorten“: Es hat keinen Layer {layer}.</translation>
  </message>
  <message>
   <source>The answer of 'Solve with pins' was taken for {names}.</source>
   <translation>Die Antwort von „Mit Pins lösen“ wurde genommen für {names}.</translation>
  </message>
  <message>
   <source>The area ({area_m2:,.0f} m²) is smaller than one step of the grid at {resolution_m:g} m: take a resolution below {fitting:,.0f} m, or a larger area.</source>
   <translation>Das Gebiet ({area_m2:,.0f} m²) ist kleiner als ein Schritt des Rasters bei {resolution_m:g} m: Nehmen Sie eine Rasterweite unter {fitting:,.0f} m, oder ein größeres Gebiet.</translation>
  </message>
  <message>
   <source>The area is given and is to be guessed as well: leave the area empty, or untick 'Guess the area'.</source>
   <translation>Das Gebiet ist angegeben und soll auch geschätzt werden: Lassen Sie das Gebiet leer, oder wählen Sie „Gebiet schätzen“ ab.</translation>
  </message>
  <message>
   <source>The area is in the layer {layer}: give that to 'Geolocate video'.</source>
   <translation>Das Gebiet liegt im Layer {layer}: Geben Sie ihn in „Video verorten“ an.</translation>
  </message>
  <message>
   <source>The area lies outside {system}, the system of the layer {layer}.</source>
   <translation>Das Gebiet liegt außerhalb von {system}, dem Koordinatenbezugssystem des Layers {layer}.</translation>
  </message>
  <message>
   <source>The area of interest as a rectangle: xmin,xmax,ymin,ymax [CRS]. Across the 180th meridian xmax is over 180: 179,181,…</source>
   <translation>Das Gebiet als Rechteck: xmin,xmax,ymin,ymax [KBS]. Über den 180. Meridian hinweg ist xmax größer als 180: 179,181,…</translation>
  </message>
  <message>
   <source>The area of interest cannot be read: {given}. Give a polygon layer or a vector file.</source>
   <translation>Das Gebiet kann nicht gelesen werden: {given}. Geben Sie einen Polygonlayer oder eine Vektordatei an.</translation>
  </message>
  <message>
   <source>The area of interest {name!r} has a corner that is not a number: mend the layer.</source>
   <translation>Das Gebiet „{name}“ hat eine Ecke, die keine Zahl ist: Reparieren Sie den Layer.</translation>
  </message>
  <message>
   <source>The area of interest {name!r} has no coordinate reference system: set it in the layer's properties.</source>
   <translation>Das Gebiet „{name}“ hat kein Koordinatenbezugssystem: Setzen Sie es in den Eigenschaften des Layers.</translation>
  </message>
  <message>
   <source>The area of interest {name!r} has no polygon (or no selected one): select or draw at least one.</source>
   <translation>Das Gebiet „{name}“ hat kein Polygon (oder kein gewähltes): Wählen oder zeichnen Sie mindestens eines.</translation>
  </message>
  <message>
   <source>The area of interest {name!r} has no polygons: give a polygon layer.</source>
   <translation>Das Gebiet „{name}“ hat keine Polygone: Geben Sie einen Polygonlayer an.</translation>
  </message>
  <message>
   <source>The area of interest {path} has no polygons: give a polygon layer or a file with a polygon.</source>
   <translation>Das Gebiet {path} hat keine Polygone: Geben Sie einen Polygonlayer oder eine Datei mit einem Polygon an.</translation>
  </message>
  <message>
   <source>The area that the checkpoint is for. Empty: where the tracks lead, and a margin about it.</source>
   <translation>Das Gebiet, für das der Checkpoint ist. Leer: wohin die Tracks führen, mit einem Rand darum.</translation>
  </message>
  <message>
   <source>The area that the checkpoint was trained on is searched; the engine counts its places when it starts.</source>
   <translation>Gesucht wird in dem Gebiet, auf dem der Checkpoint trainiert ist; seine Orte zählt die Engine, wenn sie beginnt.</translation>
  </message>
  <message>
   <source>The area to cover with candidate places.</source>
   <translation>Das Gebiet, das mit möglichen Orten überzogen wird.</translation>
  </message>
  <message>
   <source>The authentication configuration for {platform} holds no token: store it as the password, or as the header's value.</source>
   <translation>Die Authentifizierungskonfiguration für {platform} enthält kein Token: Speichern Sie es als Passwort oder als Wert des Headers.</translation>
  </message>
  <message>
   <source>The authentication configuration for {platform} is none of these: {names}. Store the token as one.</source>
   <translation>Die Authentifizierungskonfiguration für {platform} ist keine von diesen: {names}. Speichern Sie das Token als eine davon.</translation>
  </message>
  <message>
   <source>The authentication configuration for {platform} is not stored in this QGIS profile: give its id of seven signs, never the token.</source>
   <translation>Die Authentifizierungskonfiguration für {platform} ist in diesem QGIS-Profil nicht gespeichert: Geben Sie ihre ID aus sieben Zeichen an, nie das Token.</translation>
  </message>
  <message>
   <source>The batch's page:</source>
   <translation>Die Seite des Stapels:</translation>
  </message>
  <message>
   <source>The camera was</source>
   <translation>Die Kamera war</translation>
  </message>
  <message>
   <source>The camera was never so near this place.</source>
   <translation>Die Kamera war diesem Ort nie so nahe.</translation>
  </message>
  <message>
   <source>The card config.json in {checkpoint} cannot be read: {wanted}.</source>
   <translation>Die Karte config.json in {checkpoint} kann nicht gelesen werden: {wanted}.</translation>
  </message>
  <message>
   <source>The check gave no answer: try it again.</source>
   <translation>Die Prüfung gab keine Antwort: Versuchen Sie es noch einmal.</translation>
  </message>
  <message>
   <source>The checkpoint folder {checkpoint} has no {lacking}: {folder}.</source>
   <translation>Im Ordner des Checkpoints, {checkpoint}, fehlt {lacking}: {folder}.</translation>
  </message>
  <message>
   <source>The checkpoint {checkpoint} can carry programs and is not opened: give a .safetensors file or a checkpoint folder.</source>
   <translation>Der Checkpoint {checkpoint} kann Programme enthalten und wird nicht geöffnet: Geben Sie eine .safetensors-Datei oder den Ordner eines Checkpoints an.</translation>
  </message>
  <message>
   <source>The checkpoint {checkpoint} is not a .safetensors file: choose another.</source>
   <translation>Der Checkpoint {checkpoint} ist keine .safetensors-Datei: Wählen Sie einen anderen.</translation>
  </message>
  <message>
   <source>The checkpoint {checkpoint} is not there: give a checkpoint folder, a .safetensors file, a Hub id or geoclip.</source>
   <translation>Der Checkpoint {checkpoint} ist nicht da: Geben Sie den Ordner eines Checkpoints, eine .safetensors-Datei, eine Hub-ID oder geoclip an.</translation>
  </message>
  <message>
   <source>The checkpoint {checkpoint} is one for 'Geolocate video' and tells no cities: {wanted}.</source>
   <translation>Der Checkpoint {checkpoint} ist einer für „Video verorten“ und kennt keine Städte: {wanted}.</translation>
  </message>
  <message>
   <source>The compact model runs on any computer; the large one is the paper's, for graphics cards; DINOv2 lies between, and its accuracy here was not measured. All but compact fetch weights once.</source>
   <translation>Das kompakte Modell läuft auf jedem Rechner; das große ist das der Veröffentlichung, für Grafikkarten; DINOv2 liegt dazwischen, und seine Genauigkeit wurde hier nicht gemessen. Alle außer dem kompakten holen einmal Gewichte.</translation>
  </message>
  <message>
   <source>The database that 'Build reference database' has made.</source>
   <translation>Die Datenbank, die „Referenzdatenbank erstellen“ gemacht hat.</translation>
  </message>
  <message>
   <source>The engine can run</source>
   <translation>Die Engine kann laufen</translation>
  </message>
  <message>
   <source>The engine is ready: {python}</source>
   <translation>Die Engine ist bereit: {python}</translation>
  </message>
  <message>
   <source>The engine starts…</source>
   <translation>Die Engine startet …</translation>
  </message>
  <message>
   <source>The engine that locates videos is not set up yet. It is made once, in a Python environment of its own, with your consent.</source>
   <translation>Die Engine, die Videos verortet, ist noch nicht eingerichtet. Sie wird einmal erstellt, in einer eigenen Python-Umgebung, mit Ihrer Zustimmung.</translation>
  </message>
  <message>
   <source>The engine's Python</source>
   <translation>Python der Engine</translation>
  </message>
  <message>
   <source>The engine's Python (empty: the VIDTAG_ENGINE_PYTHON variable, then the managed environment)</source>
   <translation>Python der Engine (leer: die Variable VIDTAG_ENGINE_PYTHON, dann die verwaltete Umgebung)</translation>
  </message>
  <message>
   <source>The engine's result {geopackage} has no layer {kind!r} that QGIS can read.</source>
   <translation>Das Ergebnis der Engine {geopackage} hat keinen Layer „{kind}“, den QGIS lesen kann.</translation>
  </message>
  <message>
   <source>The engine's result {geopackage} has no layer {name!r} that QGIS can read.</source>
   <translation>Das Ergebnis der Engine {geopackage} hat keinen Layer „{name}“, den QGIS lesen kann.</translation>
  </message>
  <message>
   <source>The environment is being made: wait until it is done, or stop it.</source>
   <translation>Die Umgebung wird gerade erstellt: Warten Sie, bis sie fertig ist, oder halten Sie es an.</translation>
  </message>
  <message>
   <source>The extent {given} has no area: give xmin,xmax,ymin,ymax and its CRS, such as 9.1,9.3,48.7,48.9 [EPSG:4326].</source>
   <translation>Die Ausdehnung {given} hat keine Fläche: Geben Sie xmin,xmax,ymin,ymax und ihr KBS an, etwa 9.1,9.3,48.7,48.9 [EPSG:4326].</translation>
  </message>
  <message>
   <source>The extent's xmax ({xmax:g}) is smaller than its xmin ({xmin:g}); the order is xmin,xmax,ymin,ymax.</source>
   <translation>xmax der Ausdehnung ({xmax:g}) ist kleiner als xmin ({xmin:g}); die Reihenfolge ist xmin,xmax,ymin,ymax.</translation>
  </message>
  <message>
   <source>The extent's ymax ({ymax:g}) is smaller than its ymin ({ymin:g}); the order is xmin,xmax,ymin,ymax.</source>
   <translation>ymax der Ausdehnung ({ymax:g}) ist kleiner als ymin ({ymin:g}); die Reihenfolge ist xmin,xmax,ymin,ymax.</translation>
  </message>
  <message>
   <source>The fewest places that together have so much are taken, at most five of each video. More of it is a larger area to search.</source>
   <translation>Die wenigsten Orte, die zusammen so viel haben, werden genommen, höchstens fünf je Video. Mehr davon ist ein größeres Gebiet zum Durchsuchen.</translation>
  </message>
  <message>
   <source>The fewest that together have the probability above: an area of interest for 'Geolocate video'. Empty where the video is of no known city.</source>
   <translation>Die wenigsten, die zusammen die Wahrscheinlichkeit oben haben: ein Gebiet für „Video verorten“. Leer, wenn das Video aus keiner bekannten Stadt ist.</translation>
  </message>
  <message>
   <source>The file of pictures is deleted.</source>
   <translation>Die Datei mit den Bildern ist gelöscht.</translation>
  </message>
  <message>
   <source>The file's own layer of all guessed places</source>
   <translation>Der eigene Layer der Datei mit allen geschätzten Orten</translation>
  </message>
  <message>
   <source>The first band as a picture, if asked for.</source>
   <translation>Der erste Kanal als Bild, wenn gewünscht.</translation>
  </message>
  <message>
   <source>The folder {path} holds no reference images: give the one that 'Build reference database' wrote.</source>
   <translation>Der Ordner {path} enthält keine Referenzbilder: Geben Sie den an, den „Referenzdatenbank erstellen“ geschrieben hat.</translation>
  </message>
  <message>
   <source>The folder {path} holds other files ({other}): choose a new or an empty one for the database.</source>
   <translation>Der Ordner {path} enthält andere Dateien ({other}): Wählen Sie einen neuen oder leeren für die Datenbank.</translation>
  </message>
  <message>
   <source>The frame has no place on the map.</source>
   <translation>Das Bild hat keinen Ort auf der Karte.</translation>
  </message>
  <message>
   <source>The frame's answer</source>
   <translation>Die Antwort des Bildes</translation>
  </message>
  <message>
   <source>The heat map {path} must end in .tif: it is a GeoTIFF.</source>
   <translation>Die Heatmap {path} muss auf .tif enden: Sie ist ein GeoTIFF.</translation>
  </message>
  <message>
   <source>The home zones cannot be read: {given}. Give a layer of polygons or points, or a vector file.</source>
   <translation>Die Privatzonen können nicht gelesen werden: {given}. Geben Sie einen Layer mit Polygonen oder Punkten oder eine Vektordatei an.</translation>
  </message>
  <message>
   <source>The home zones cannot be read: {path} has no layer {one!r} that QGIS reads.</source>
   <translation>Die Privatzonen können nicht gelesen werden: {path} hat keinen Layer „{one}“, den QGIS liest.</translation>
  </message>
  <message>
   <source>The home zones {name!r} have a corner that is not a number: mend the layer.</source>
   <translation>Die Privatzonen „{name}“ haben eine Ecke, die keine Zahl ist: Reparieren Sie den Layer.</translation>
  </message>
  <message>
   <source>The home zones {name!r} have a feature whose geometry QGIS cannot read: save them as a layer of polygons.</source>
   <translation>Die Privatzonen „{name}“ haben ein Objekt, dessen Geometrie QGIS nicht lesen kann: Speichern Sie sie als Polygonlayer.</translation>
  </message>
  <message>
   <source>The home zones {name!r} have a point that is no place on the globe: mend the layer.</source>
   <translation>Die Privatzonen „{name}“ haben einen Punkt, der kein Ort auf der Erde ist: Reparieren Sie den Layer.</translation>
  </message>
  <message>
   <source>The home zones {name!r} have no coordinate reference system: set it in the layer's properties.</source>
   <translation>Die Privatzonen „{name}“ haben kein Koordinatenbezugssystem: Setzen Sie es in den Eigenschaften des Layers.</translation>
  </message>
  <message>
   <source>The home zones {name!r} hold lines, which enclose no ground: give polygons or points, or buffer them first.</source>
   <translation>Die Privatzonen „{name}“ enthalten Linien, die keine Fläche umschließen: Geben Sie Polygone oder Punkte an, oder puffern Sie sie zuerst.</translation>
  </message>
  <message>
   <source>The home zones {name!r} hold no polygon and no point (or no selected one): select or draw at least one.</source>
   <translation>Die Privatzonen „{name}“ enthalten kein Polygon und keinen Punkt (oder keinen gewählten): Wählen oder zeichnen Sie mindestens einen.</translation>
  </message>
  <message>
   <source>The last pin is still being written: wait a moment.</source>
   <translation>Der letzte Pin wird noch geschrieben: Warten Sie einen Moment.</translation>
  </message>
  <message>
   <source>The layer {name!r} has no pin (or no selected one): set at least one.</source>
   <translation>Der Layer „{name}“ hat keinen Pin (oder keinen gewählten): Setzen Sie mindestens einen.</translation>
  </message>
  <message>
   <source>The layer {name!r} of {path} is being edited in QGIS, and its edits would be lost: save or cancel them and end editing, or choose another output.</source>
   <translation>Der Layer „{name}“ von {path} wird in QGIS bearbeitet, und seine Änderungen gingen verloren: Speichern oder verwerfen Sie sie und beenden Sie das Bearbeiten, oder wählen Sie eine andere Ausgabe.</translation>
  </message>
  <message>
   <source>The layer's field with the time. Empty: its only date and time field, or the one named time; for lines, start_time.</source>
   <translation>Das Feld des Layers mit der Zeit. Leer: sein einziges Feld für Datum und Zeit, oder das namens time; bei Linien start_time.</translation>
  </message>
  <message>
   <source>The lines of the truth {name!r} have no times: choose the fields with their start and end, or give points.</source>
   <translation>Die Linien der wahren Positionen „{name}“ haben keine Zeiten: Wählen Sie die Felder mit Anfang und Ende, oder geben Sie Punkte an.</translation>
  </message>
  <message>
   <source>The map shows the picture's second, and the video follows the Temporal Controller</source>
   <translation>Die Karte zeigt die Sekunde des Bildes, und das Video folgt der Zeitsteuerung</translation>
  </message>
  <message>
   <source>The map's coordinate system does not reach this place.</source>
   <translation>Das Koordinatensystem der Karte reicht nicht bis zu diesem Ort.</translation>
  </message>
  <message>
   <source>The metrics with a map and charts, in one HTML file.</source>
   <translation>Die Maße mit einer Karte und Diagrammen, in einer HTML-Datei.</translation>
  </message>
  <message>
   <source>The model's own</source>
   <translation>Die eigene des Modells</translation>
  </message>
  <message>
   <source>The motion track is of one video, and {videos} are given: give that one alone, or leave the motion track empty.</source>
   <translation>Der Bewegungstrack ist von einem Video, und {videos} sind angegeben: Geben Sie nur dieses an, oder lassen Sie den Bewegungstrack leer.</translation>
  </message>
  <message>
   <source>The output {frames} is a file: give a folder for the frames.</source>
   <translation>Die Ausgabe {frames} ist eine Datei: Geben Sie einen Ordner für die Bilder an.</translation>
  </message>
  <message>
   <source>The output {name} ({label}) is a folder: give the path of a file.</source>
   <translation>Die Ausgabe {name} ({label}) ist ein Ordner: Geben Sie den Pfad einer Datei an.</translation>
  </message>
  <message>
   <source>The output {name} ({label}) is also an input of this call, and would be lost: choose another output.</source>
   <translation>Die Ausgabe {name} ({label}) ist auch eine Eingabe dieses Aufrufs und ginge verloren: Wählen Sie eine andere Ausgabe.</translation>
  </message>
  <message>
   <source>The output {output} is a file: give a folder for the {what}.</source>
   <translation>Die Ausgabe {output} ist eine Datei, und gebraucht wird ein Ordner ({what}): Geben Sie einen Ordner an.</translation>
  </message>
  <message>
   <source>The output {path} cannot be written: {folder} is no folder that you may write to. Choose another.</source>
   <translation>Die Ausgabe {path} kann nicht geschrieben werden: {folder} ist kein Ordner, in den Sie schreiben dürfen. Wählen Sie eine andere.</translation>
  </message>
  <message>
   <source>The output {path} is a folder: give the path of a file.</source>
   <translation>Die Ausgabe {path} ist ein Ordner: Geben Sie den Pfad einer Datei an.</translation>
  </message>
  <message>
   <source>The packages that VidTAG's own engine needs, as the folder {wheels} has them: nothing is fetched. About {disk:.1f} GB in {cache_folder}. The folder decides which build of PyTorch it is; the table has those measured on Linux.</source>
   <translation>Die Pakete, die die Engine von VidTAG braucht, so wie der Ordner {wheels} sie hat: Geholt wird nichts. Etwa {disk:.1f} GB in {cache_folder}. Der Ordner bestimmt, welcher Build von PyTorch es ist; die Tabelle nennt die auf Linux gemessenen.</translation>
  </message>
  <message>
   <source>The pin at {time:g} s of {video} is gone.</source>
   <translation>Der Pin bei {time:g} s von {video} ist weg.</translation>
  </message>
  <message>
   <source>The pins cannot be read: {given}. Give a point layer or a vector file.</source>
   <translation>Die Pins können nicht gelesen werden: {given}. Geben Sie einen Punktlayer oder eine Vektordatei an.</translation>
  </message>
  <message>
   <source>The pins {name!r} are no points: give a point layer.</source>
   <translation>Die Pins „{name}“ sind keine Punkte: Geben Sie einen Punktlayer an.</translation>
  </message>
  <message>
   <source>The pins {name!r} do not say which frame each is of: choose the field with the frame's number (frame_index).</source>
   <translation>Die Pins „{name}“ sagen nicht, von welchem Bild jeder ist: Wählen Sie das Feld mit der Nummer des Bildes (frame_index).</translation>
  </message>
  <message>
   <source>The pins {name!r} have no coordinate reference system: set it in the layer's properties.</source>
   <translation>Die Pins „{name}“ haben kein Koordinatenbezugssystem: Setzen Sie es in den Eigenschaften des Layers.</translation>
  </message>
  <message>
   <source>The place of this frame is right: pin it there</source>
   <translation>Der Ort dieses Bildes stimmt: dort einen Pin setzen</translation>
  </message>
  <message>
   <source>The place of this frame, or of the stretch, is right</source>
   <translation>Der Ort dieses Bildes oder des Abschnitts stimmt</translation>
  </message>
  <message>
   <source>The points {path} must go to a file of their own that ends in .gpkg: they are written as a GeoPackage.</source>
   <translation>Die Punkte {path} müssen in eine eigene Datei, die auf .gpkg endet: Sie werden als GeoPackage geschrieben.</translation>
  </message>
  <message>
   <source>The posterior could not be read: draw it again.</source>
   <translation>Die Verteilung war nicht zu lesen: noch einmal zeichnen.</translation>
  </message>
  <message>
   <source>The posterior of frame {number} is being drawn…</source>
   <translation>Die Verteilung von Bild {number} wird gezeichnet…</translation>
  </message>
  <message>
   <source>The project has it already: the layer {layer}.</source>
   <translation>Das Projekt hat sie schon: den Layer {layer}.</translation>
  </message>
  <message>
   <source>The project has no coordinate reference system: set it in the project's properties, and draw again.</source>
   <translation>Das Projekt hat kein Koordinatenbezugssystem: Setzen Sie es in den Eigenschaften des Projekts, und zeichnen Sie noch einmal.</translation>
  </message>
  <message>
   <source>The project has no layer of polygons yet: draw the area, or add a layer.</source>
   <translation>Das Projekt hat noch keinen Layer mit Polygonen: Zeichnen Sie das Gebiet, oder fügen Sie einen Layer hinzu.</translation>
  </message>
  <message>
   <source>The reference image that speaks for this place most, as the result keeps it</source>
   <translation>Das Referenzbild, das am meisten für diesen Ort spricht, wie das Ergebnis es behält</translation>
  </message>
  <message>
   <source>The reference images {path} are not there: give the folder that 'Build reference database' wrote.</source>
   <translation>Die Referenzbilder {path} sind nicht da: Geben Sie den Ordner an, den „Referenzdatenbank erstellen“ geschrieben hat.</translation>
  </message>
  <message>
   <source>The report as a page; its text is an output of its own.</source>
   <translation>Der Bericht als Seite; sein Text ist eine eigene Ausgabe.</translation>
  </message>
  <message>
   <source>The resolution that the checkpoint will be used at.</source>
   <translation>Die Rasterweite, mit der der Checkpoint benutzt wird.</translation>
  </message>
  <message>
   <source>The resolution that videos will be sought at.</source>
   <translation>Die Rasterweite, mit der Videos gesucht werden.</translation>
  </message>
  <message>
   <source>The result of this layer is not there, so nothing is known but its places.</source>
   <translation>Das Ergebnis dieses Layers ist nicht da; bekannt sind nur seine Orte.</translation>
  </message>
  <message>
   <source>The result {path} cannot be read ({error}): close it elsewhere, or give another.</source>
   <translation>Das Ergebnis {path} kann nicht gelesen werden ({error}): Schließen Sie es anderswo, oder geben Sie ein anderes an.</translation>
  </message>
  <message>
   <source>The result {path} has no pinned answer: run 'Solve with pins' and give the result that it writes, or choose another answer.</source>
   <translation>Das Ergebnis {path} hat keine Antwort mit Pins: Starten Sie „Mit Pins lösen“ und geben Sie das Ergebnis an, das es schreibt, oder wählen Sie eine andere Antwort.</translation>
  </message>
  <message>
   <source>The result {path} has no scores beside it, in {folder}: run 'Geolocate video' again with 'Keep scores for pins', or give the result that this one was copied from.</source>
   <translation>Das Ergebnis {path} hat keine Bewertungen neben sich, in {folder}: Starten Sie „Video verorten“ noch einmal mit „Bewertungen für Pins behalten“, oder geben Sie das Ergebnis an, von dem dieses kopiert wurde.</translation>
  </message>
  <message>
   <source>The result {path} is no GeoPackage: give the one that 'Geolocate video' wrote.</source>
   <translation>Das Ergebnis {path} ist kein GeoPackage: Geben Sie das an, das „Video verorten“ geschrieben hat.</translation>
  </message>
  <message>
   <source>The result {path} is not there: give the GeoPackage that 'Geolocate video' wrote.</source>
   <translation>Das Ergebnis {path} ist nicht da: Geben Sie das GeoPackage an, das „Video verorten“ geschrieben hat.</translation>
  </message>
  <message>
   <source>The result {path} must end in .gpkg: it is a GeoPackage. Other formats are outputs of their own.</source>
   <translation>Das Ergebnis {path} muss auf .gpkg enden: Es ist ein GeoPackage. Andere Formate sind eigene Ausgaben.</translation>
  </message>
  <message>
   <source>The result's own layer {kind}</source>
   <translation>Der eigene Layer des Ergebnisses: {kind}</translation>
  </message>
  <message>
   <source>The result: a layer of frames that 'Geolocate video' made</source>
   <translation>Das Ergebnis: ein Layer mit Bildern, den „Video verorten“ gemacht hat</translation>
  </message>
  <message>
   <source>The result; empty: beside the first video</source>
   <translation>Das Ergebnis; leer: neben dem ersten Video</translation>
  </message>
  <message>
   <source>The roads cannot be read: {given}. Give a line layer or a vector file.</source>
   <translation>Die Straßen können nicht gelesen werden: {given}. Geben Sie einen Linienlayer oder eine Vektordatei an.</translation>
  </message>
  <message>
   <source>The roads {name!r} are no lines: give a line layer.</source>
   <translation>Die Straßen „{name}“ sind keine Linien: Geben Sie einen Linienlayer an.</translation>
  </message>
  <message>
   <source>The roads {name!r} cannot be written for the engine ({problem}): save them as a GeoPackage first.</source>
   <translation>Die Straßen „{name}“ können nicht für die Engine geschrieben werden ({problem}): Speichern Sie sie zuerst als GeoPackage.</translation>
  </message>
  <message>
   <source>The roads {name!r} have no coordinate reference system: set it in the layer's properties.</source>
   <translation>Die Straßen „{name}“ haben kein Koordinatenbezugssystem: Setzen Sie es in den Eigenschaften des Layers.</translation>
  </message>
  <message>
   <source>The stretch ends at {end_s:g} s, before it begins: make 'To' larger than 'From'.</source>
   <translation>Der Abschnitt endet bei {end_s:g} s, bevor er beginnt: Machen Sie „Bis“ größer als „Von“.</translation>
  </message>
  <message>
   <source>The table of videos cannot be read: {value}. Give a table layer or a file.</source>
   <translation>Die Tabelle mit Videos kann nicht gelesen werden: {value}. Geben Sie einen Tabellenlayer oder eine Datei an.</translation>
  </message>
  <message>
   <source>The token for {platform} cannot be decrypted without QGIS's master password: set QGIS_AUTH_PASSWORD_FILE to a file that holds it.</source>
   <translation>Das Token für {platform} kann ohne das Hauptpasswort von QGIS nicht entschlüsselt werden: Setzen Sie QGIS_AUTH_PASSWORD_FILE auf eine Datei, die es enthält.</translation>
  </message>
  <message>
   <source>The token for {platform} could not be decrypted: give QGIS's master password, and run it again.</source>
   <translation>Das Token für {platform} konnte nicht entschlüsselt werden: Geben Sie das Hauptpasswort von QGIS ein, und starten Sie noch einmal.</translation>
  </message>
  <message>
   <source>The top speed {text!r} is none: give {names}, or a number in km/h up to {most:g}.</source>
   <translation>„{text}“ ist keine Höchstgeschwindigkeit: Geben Sie eines von {names} an, oder eine Zahl in km/h bis {most:g}.</translation>
  </message>
  <message>
   <source>The trained model, as for 'Geolocate video'.</source>
   <translation>Das trainierte Modell, wie in „Video verorten“.</translation>
  </message>
  <message>
   <source>The trained model, as for 'Geolocate video'. Empty: points are only counted.</source>
   <translation>Das trainierte Modell, wie in „Video verorten“. Leer: Die Punkte werden nur gezählt.</translation>
  </message>
  <message>
   <source>The trained model: a folder that 'Train for an area' has written, a .safetensors file, a Hub id, or geoclip for the worldwide one. none: by the way along roads alone, without any model; give the roads below.</source>
   <translation>Das trainierte Modell: ein Ordner, den „Für ein Gebiet trainieren“ geschrieben hat, eine .safetensors-Datei, eine Hub-ID, oder geoclip für das weltweite. none: nach dem Weg auf Straßen allein, ganz ohne Modell; geben Sie unten die Straßen an.</translation>
  </message>
  <message>
   <source>The trajectories on a map, coloured by confidence.</source>
   <translation>Die Trajektorien auf einer Karte, nach Konfidenz gefärbt.</translation>
  </message>
  <message>
   <source>The truth cannot be read: {given}. Give a layer or a vector file.</source>
   <translation>Die wahren Positionen können nicht gelesen werden: {given}. Geben Sie einen Layer oder eine Vektordatei an.</translation>
  </message>
  <message>
   <source>The truth offset {text!r} is not a number of seconds up to a day: give one such as 2.5 or -2.5, or auto.</source>
   <translation>„{text}“ ist keine Zahl von Sekunden bis zu einem Tag: Geben Sie als Zeitversatz eine an, etwa 2.5 oder -2.5, oder auto.</translation>
  </message>
  <message>
   <source>The truth {name!r} has neither points nor lines: give a track as points or as lines.</source>
   <translation>Die wahren Positionen „{name}“ haben weder Punkte noch Linien: Geben Sie einen Track als Punkte oder als Linien an.</translation>
  </message>
  <message>
   <source>The truth {name!r} has no coordinate reference system: set it in the layer's properties.</source>
   <translation>Die wahren Positionen „{name}“ haben kein Koordinatenbezugssystem: Setzen Sie es in den Eigenschaften des Layers.</translation>
  </message>
  <message>
   <source>The truth {name!r} has no one date and time field: choose the field with the time.</source>
   <translation>Die wahren Positionen „{name}“ haben kein eindeutiges Feld für Datum und Zeit: Wählen Sie das Feld mit der Zeit.</translation>
  </message>
  <message>
   <source>The truth {truth} is not there: correct its path.</source>
   <translation>Die wahren Positionen {truth} sind nicht da: Berichtigen Sie den Pfad.</translation>
  </message>
  <message>
   <source>The variable {OFFLINE_VARIABLE} says so.</source>
   <translation>Die Variable {OFFLINE_VARIABLE} sagt es so.</translation>
  </message>
  <message>
   <source>The video files that were located. Not needed where they lie beside the result.</source>
   <translation>Die Videodateien, die verortet wurden. Nicht nötig, wenn sie neben dem Ergebnis liegen.</translation>
  </message>
  <message>
   <source>The video is being decoded from its kept scores…</source>
   <translation>Das Video wird aus seinen aufbewahrten Bewertungen decodiert…</translation>
  </message>
  <message>
   <source>The video is damaged here: this frame has no picture.</source>
   <translation>Das Video ist hier beschädigt: Dieses Bild fehlt.</translation>
  </message>
  <message>
   <source>The video of the result</source>
   <translation>Das Video des Ergebnisses</translation>
  </message>
  <message>
   <source>The video {file} was not found: say where it is.</source>
   <translation>Das Video {file} wurde nicht gefunden: Sagen Sie, wo es ist.</translation>
  </message>
  <message>
   <source>The video {video} cannot be read: change its permissions or take it off the list.</source>
   <translation>Das Video {video} kann nicht gelesen werden: Ändern Sie seine Zugriffsrechte, oder nehmen Sie es von der Liste.</translation>
  </message>
  <message>
   <source>The video {video} is empty: copy it again or take it off the list.</source>
   <translation>Das Video {video} ist leer: Kopieren Sie es noch einmal, oder nehmen Sie es von der Liste.</translation>
  </message>
  <message>
   <source>The video {video} is not there: correct its path or take it off the list.</source>
   <translation>Das Video {video} ist nicht da: Berichtigen Sie seinen Pfad, oder nehmen Sie es von der Liste.</translation>
  </message>
  <message>
   <source>The video's name, where the result holds several. Empty: video, where there is such a field.</source>
   <translation>Der Name des Videos, wenn das Ergebnis mehrere enthält. Leer: video, wenn es ein solches Feld gibt.</translation>
  </message>
  <message>
   <source>The viewer was closed.</source>
   <translation>Der Betrachter wurde geschlossen.</translation>
  </message>
  <message>
   <source>The whole result: trajectory, frames, videos, regions, styles and the record of what made it. Of several videos each is first kept in a folder beside it, named as it and ending in .results, with the batch's page.</source>
   <translation>Das ganze Ergebnis: Trajektorie, Bilder, Videos, Regionen, Stile und die Aufzeichnung, wodurch es entstand. Bei mehreren Videos wird jedes zuerst in einem Ordner daneben aufgehoben, der seinen Namen und die Endung .results trägt und die Seite des Stapels enthält.</translation>
  </message>
  <message>
   <source>The workers of the Dask scheduler {scheduler} do the work.</source>
   <translation>Die Worker des Dask-Schedulers {scheduler} tun die Arbeit.</translation>
  </message>
  <message>
   <source>The workers of this scheduler share the videos of a batch; a single video stays on this computer. Each worker must see the same files under the same paths, and have the same engine, with the package distributed, as this computer's engine must.</source>
   <translation>Die Worker dieses Schedulers teilen sich die Videos eines Stapels; ein einzelnes Video bleibt auf diesem Rechner. Jeder Worker muss dieselben Dateien unter denselben Pfaden sehen und dieselbe Engine mit dem Paket distributed haben, ebenso die Engine dieses Rechners.</translation>
  </message>
  <message>
   <source>The {what} folder {output} is a temporary one, which is lost when QGIS is closed: choose another.</source>
   <translation>Ein temporärer Ordner geht beim Schließen von QGIS verloren ({what}: {output}): Wählen Sie einen anderen.</translation>
  </message>
  <message>
   <source>The {what} {path} is empty or cannot be read: give another.</source>
   <translation>Leer oder nicht lesbar ({what}): {path}. Geben Sie etwas anderes an.</translation>
  </message>
  <message>
   <source>The {what} {path} is empty: choose another.</source>
   <translation>Leer ({what}): {path}. Wählen Sie etwas anderes.</translation>
  </message>
  <message>
   <source>The {what} {path} is not there: correct its path or leave it empty.</source>
   <translation>Nicht da ({what}): {path}. Berichtigen Sie den Pfad, oder lassen Sie ihn leer.</translation>
  </message>
  <message>
   <source>The {what} {path} is not there: correct its path or take it off the list.</source>
   <translation>Nicht da ({what}): {path}. Berichtigen Sie den Pfad, oder nehmen Sie ihn von der Liste.</translation>
  </message>
  <message>
   <source>Their GPX or CSV tracks, one a video, in the same order. Empty: tracks beside the videos, or positions inside them.</source>
   <translation>Ihre Tracks als GPX oder CSV, einer je Video, in derselben Reihenfolge. Leer: Tracks neben den Videos, oder Positionen darin.</translation>
  </message>
  <message>
   <source>Their estimated size (MB)</source>
   <translation>Ihre geschätzte Größe (MB)</translation>
  </message>
  <message>
   <source>There is no room for the viewer's pictures ({strerror}): free some space for temporary files.</source>
   <translation>Für die Bilder des Betrachters ist kein Platz ({strerror}): Schaffen Sie Platz für temporäre Dateien.</translation>
  </message>
  <message>
   <source>There is none. Making one takes some minutes; size and licences are shown first.</source>
   <translation>Es gibt keine. Sie zu erstellen dauert einige Minuten; Größe und Lizenzen werden zuerst gezeigt.</translation>
  </message>
  <message>
   <source>There is nothing to write: give at least one output.</source>
   <translation>Es gibt nichts zu schreiben: Geben Sie mindestens eine Ausgabe an.</translation>
  </message>
  <message>
   <source>This QGIS cannot show such maps: its provider 'wms' is missing.</source>
   <translation>Dieses QGIS kann solche Karten nicht zeigen: Sein Datenanbieter „wms“ fehlt.</translation>
  </message>
  <message>
   <source>This layer has no frames.</source>
   <translation>Dieser Layer hat keine Bilder.</translation>
  </message>
  <message>
   <source>This place has no latitude and longitude: click on another.</source>
   <translation>Dieser Ort hat keine Breite und Länge: Klicken Sie einen anderen an.</translation>
  </message>
  <message>
   <source>Three to six years</source>
   <translation>Drei bis sechs Jahre</translation>
  </message>
  <message>
   <source>Time (s)</source>
   <translation>Zeit (s)</translation>
  </message>
  <message>
   <source>Time (start) field</source>
   <translation>Feld mit der (Anfangs-)Zeit</translation>
  </message>
  <message>
   <source>Time every grid point</source>
   <translation>Jeden Rasterort messen</translation>
  </message>
  <message>
   <source>Time for a frame (s)</source>
   <translation>Zeit für ein Bild (s)</translation>
  </message>
  <message>
   <source>Time for the gallery (s)</source>
   <translation>Zeit für die Rasterorte (s)</translation>
  </message>
  <message>
   <source>Time zone</source>
   <translation>Zeitzone</translation>
  </message>
  <message>
   <source>To</source>
   <translation>Bis</translation>
  </message>
  <message>
   <source>To (s)</source>
   <translation>Bis (s)</translation>
  </message>
  <message>
   <source>To cross the 180th meridian, add 360: {extent}.</source>
   <translation>Um den 180. Meridian zu überqueren, zählen Sie 360 dazu: {extent}.</translation>
  </message>
  <message>
   <source>To fetch (MB)</source>
   <translation>Zu holen (MB)</translation>
  </message>
  <message>
   <source>Token (authentication configuration)</source>
   <translation>Token (Authentifizierungskonfiguration)</translation>
  </message>
  <message>
   <source>Top speed</source>
   <translation>Höchstgeschwindigkeit</translation>
  </message>
  <message>
   <source>Track with times as M</source>
   <translation>Track mit Zeiten als M</translation>
  </message>
  <message>
   <source>Tracks</source>
   <translation>Tracks</translation>
  </message>
  <message>
   <source>Train for an area</source>
   <translation>Für ein Gebiet trainieren</translation>
  </message>
  <message>
   <source>Training Phase I again without some streets, to calibrate on them.</source>
   <translation>Phase I wird ohne einige Straßen noch einmal trainiert, um daran zu kalibrieren.</translation>
  </message>
  <message>
   <source>Training Phase I again, with the videos that were held out.</source>
   <translation>Phase I wird noch einmal trainiert, mit den zurückgehaltenen Videos.</translation>
  </message>
  <message>
   <source>Training Phase I, the retrieval.</source>
   <translation>Phase I wird trainiert, die Suche.</translation>
  </message>
  <message>
   <source>Training Phase II again, with the videos that were held out.</source>
   <translation>Phase II wird noch einmal trainiert, mit den zurückgehaltenen Videos.</translation>
  </message>
  <message>
   <source>Training Phase II, the refinement.</source>
   <translation>Phase II wird trainiert, die Verfeinerung.</translation>
  </message>
  <message>
   <source>Training.</source>
   <translation>Es wird trainiert.</translation>
  </message>
  <message>
   <source>Trains a checkpoint for an area from videos whose way is known, to use in 'Geolocate video'.

Give the videos with a track each, in the same order, or a folder where every video has a track of its name beside it ('drive.mp4' and 'drive.gpx'). Videos that carry their positions (GoPro, KLV) need no track. The more of the area they cover, in the light and season of what is to be found, the better.

A part of the videos is held out to choose the best step and to calibrate the confidence. The checkpoint's folder has the weights, a curve and a log. It takes from minutes to hours; cancelled, the same call goes on where it stopped.</source>
   <translation>Trainiert aus Videos, deren Weg bekannt ist, einen Checkpoint für ein Gebiet, zum Gebrauch in „Video verorten“.

Geben Sie die Videos mit je einem Track in derselben Reihenfolge an, oder einen Ordner, in dem neben jedem Video ein Track seines Namens liegt („drive.mp4“ und „drive.gpx“). Videos, die ihre Positionen enthalten (GoPro, KLV), brauchen keinen Track. Je mehr vom Gebiet sie abdecken, in Licht und Jahreszeit dessen, was gefunden werden soll, desto besser.

Ein Teil der Videos wird zurückgehalten, um den besten Schritt zu wählen und die Konfidenz zu kalibrieren. Der Ordner des Checkpoints enthält die Gewichte, eine Kurve und ein Protokoll. Es dauert Minuten bis Stunden; nach einem Abbruch macht derselbe Aufruf dort weiter, wo er aufgehört hat.</translation>
  </message>
  <message>
   <source>Trajectory</source>
   <translation>Trajektorie</translation>
  </message>
  <message>
   <source>Trajectory, Frames, Confidence regions and Track</source>
   <translation>Trajektorie, Bilder, Konfidenzregionen und Track</translation>
  </message>
  <message>
   <source>Trajectory, with pins</source>
   <translation>Trajektorie, mit Pins</translation>
  </message>
  <message>
   <source>True or false, 1 or 0, here or not here. Empty: here, where there is such a field.</source>
   <translation>Wahr oder falsch, 1 oder 0, here oder not here. Leer: here, wenn es ein solches Feld gibt.</translation>
  </message>
  <message>
   <source>Truth offset (s)</source>
   <translation>Zeitversatz der wahren Positionen (s)</translation>
  </message>
  <message>
   <source>Truth outside the confidence radius</source>
   <translation>Wahrer Ort außerhalb des Konfidenzradius</translation>
  </message>
  <message>
   <source>Truth within the confidence radius</source>
   <translation>Wahrer Ort innerhalb des Konfidenzradius</translation>
  </message>
  <message>
   <source>Truth: a file (or a layer below)</source>
   <translation>Wahre Positionen: eine Datei (oder unten ein Layer)</translation>
  </message>
  <message>
   <source>Truth: a layer instead</source>
   <translation>Wahre Positionen: stattdessen ein Layer</translation>
  </message>
  <message>
   <source>Try again</source>
   <translation>Erneut versuchen</translation>
  </message>
  <message>
   <source>Try failed videos again</source>
   <translation>Gescheiterte Videos noch einmal versuchen</translation>
  </message>
  <message>
   <source>UTM</source>
   <translation>UTM</translation>
  </message>
  <message>
   <source>Unknown ground</source>
   <translation>Unbekanntes Gelände</translation>
  </message>
  <message>
   <source>Unlike what was trained on</source>
   <translation>Anders als alles Trainierte</translation>
  </message>
  <message>
   <source>Unsure</source>
   <translation>Unsicher</translation>
  </message>
  <message>
   <source>Version</source>
   <translation>Version</translation>
  </message>
  <message>
   <source>VidTAG workbench</source>
   <translation>VidTAG-Werkbank</translation>
  </message>
  <message>
   <source>VidTAG works offline, so no map is fetched: add one that lies on this machine, such as an MBTiles file, by Layer &gt; Add Layer.</source>
   <translation>VidTAG arbeitet offline, also wird keine Karte geholt: Fügen Sie eine hinzu, die auf diesem Rechner liegt, etwa eine MBTiles-Datei, mit Layer &gt; Layer hinzufügen.</translation>
  </message>
  <message>
   <source>VidTAG works offline, so no site is opened: switch 'Work offline' off in its options.</source>
   <translation>VidTAG arbeitet offline, also wird keine Seite geöffnet: Schalten Sie „Offline arbeiten“ in seinen Optionen aus.</translation>
  </message>
  <message>
   <source>VidTAG works offline, so nothing is fetched: install Python 3.11 or newer, and name it above.</source>
   <translation>VidTAG arbeitet offline, also wird nichts geholt: Installieren Sie Python 3.11 oder neuer, und nennen Sie es oben.</translation>
  </message>
  <message>
   <source>VidTAG: candidate places</source>
   <translation>VidTAG: mögliche Orte</translation>
  </message>
  <message>
   <source>VidTAG: checking the engine</source>
   <translation>VidTAG: Engine prüfen</translation>
  </message>
  <message>
   <source>VidTAG: create the engine's environment</source>
   <translation>VidTAG: Umgebung der Engine erstellen</translation>
  </message>
  <message>
   <source>VidTAG: fetching a Python</source>
   <translation>VidTAG: Python holen</translation>
  </message>
  <message>
   <source>VidTAG: looking for a Python</source>
   <translation>VidTAG: Python suchen</translation>
  </message>
  <message>
   <source>VidTAG: making the engine's environment</source>
   <translation>VidTAG: Umgebung der Engine wird erstellt</translation>
  </message>
  <message>
   <source>VidTAG: moving the cache folder</source>
   <translation>VidTAG: Cache-Ordner verschieben</translation>
  </message>
  <message>
   <source>VidTAG: pictures for map tips</source>
   <translation>VidTAG: Bilder für Kartenhinweise</translation>
  </message>
  <message>
   <source>VidTAG: removing the environment</source>
   <translation>VidTAG: Umgebung entfernen</translation>
  </message>
  <message>
   <source>VidTAG: setting a pin</source>
   <translation>VidTAG: Pin setzen</translation>
  </message>
  <message>
   <source>VidTAG: where was this video taken?</source>
   <translation>VidTAG: Wo wurde dieses Video aufgenommen?</translation>
  </message>
  <message>
   <source>Video</source>
   <translation>Video</translation>
  </message>
  <message>
   <source>Video error, median (m)</source>
   <translation>Fehler des Videos, Median (m)</translation>
  </message>
  <message>
   <source>Video field</source>
   <translation>Feld mit dem Video</translation>
  </message>
  <message>
   <source>Video files, in any format that FFmpeg reads; give some, or a folder. Each gives a trajectory of its own.</source>
   <translation>Videodateien in jedem Format, das FFmpeg liest; geben Sie einige an, oder einen Ordner. Jede ergibt eine eigene Trajektorie.</translation>
  </message>
  <message>
   <source>Video files, in any format that FFmpeg reads; give some, or a folder. Each is guessed by itself.</source>
   <translation>Videodateien in jedem Format, das FFmpeg liest; geben Sie einige an, oder einen Ordner. Jede wird für sich geschätzt.</translation>
  </message>
  <message>
   <source>Videos</source>
   <translation>Videos</translation>
  </message>
  <message>
   <source>Videos (for the frames)</source>
   <translation>Videos (für die Bilder)</translation>
  </message>
  <message>
   <source>Videos (or a folder of them below)</source>
   <translation>Videos (oder unten ein Ordner davon)</translation>
  </message>
  <message>
   <source>Videos and tracks. Empty: a part of the videos above is held out.</source>
   <translation>Videos und Tracks. Leer: Ein Teil der Videos oben wird zurückgehalten.</translation>
  </message>
  <message>
   <source>Videos judged to be from outside the area</source>
   <translation>Videos, die von außerhalb des Gebiets zu stammen scheinen</translation>
  </message>
  <message>
   <source>Videos learnt from</source>
   <translation>Videos, aus denen gelernt wurde</translation>
  </message>
  <message>
   <source>Videos left out</source>
   <translation>Weggelassene Videos</translation>
  </message>
  <message>
   <source>Videos of no known city</source>
   <translation>Videos aus keiner bekannten Stadt</translation>
  </message>
  <message>
   <source>Videos on ground that the checkpoint knows nothing of</source>
   <translation>Videos in Gelände, von dem der Checkpoint nichts weiß</translation>
  </message>
  <message>
   <source>Videos that an earlier run of the same settings has put there are not done again. Otherwise the file is replaced.</source>
   <translation>Videos, die ein früherer Lauf mit denselben Einstellungen dort abgelegt hat, werden nicht noch einmal gemacht. Sonst wird die Datei ersetzt.</translation>
  </message>
  <message>
   <source>Videos to learn from.</source>
   <translation>Videos, aus denen gelernt wird.</translation>
  </message>
  <message>
   <source>Videos unlike all that the checkpoint knows</source>
   <translation>Videos, die nichts gleichen, was der Checkpoint kennt</translation>
  </message>
  <message>
   <source>Videos whose answer is withheld</source>
   <translation>Videos, deren Antwort zurückgehalten wird</translation>
  </message>
  <message>
   <source>Videos with pins</source>
   <translation>Videos mit Pins</translation>
  </message>
  <message>
   <source>Videos with tracks of the same names, also in subfolders.</source>
   <translation>Videos mit Tracks der gleichen Namen, auch in Unterordnern.</translation>
  </message>
  <message>
   <source>What a pin says for which no field says it.</source>
   <translation>Was ein Pin besagt, von dem kein Feld es sagt.</translation>
  </message>
  <message>
   <source>What a yes to fetching would mean; empty where nothing is to be asked</source>
   <translation>Was ein Ja zum Holen bedeuten würde; leer, wenn nichts zu fragen ist</translation>
  </message>
  <message>
   <source>What computes: automatic takes the graphics card where there is one.</source>
   <translation>Was rechnet: Automatisch nimmt die Grafikkarte, wenn es eine gibt.</translation>
  </message>
  <message>
   <source>What is installed, which device, which weights, which versions: a report to paste into an issue.</source>
   <translation>Was installiert ist, welches Gerät, welche Gewichte, welche Versionen: ein Bericht für eine Fehlermeldung.</translation>
  </message>
  <message>
   <source>What is judged next holds from this frame to the one that is shown then</source>
   <translation>Das nächste Urteil gilt von diesem Bild bis zu dem, das dann gezeigt wird</translation>
  </message>
  <message>
   <source>What pictures are described by: compact runs on any computer; large is for graphics cards; DINOv2 lies between, and its accuracy here was not measured. All but compact fetch weights once. A database that is there keeps its own.</source>
   <translation>Wodurch Bilder beschrieben werden: Kompakt läuft auf jedem Rechner; groß ist für Grafikkarten; DINOv2 liegt dazwischen, und seine Genauigkeit wurde hier nicht gemessen. Alle außer kompakt holen einmal Gewichte. Eine vorhandene Datenbank behält ihre Einstellung.</translation>
  </message>
  <message>
   <source>What shall be learnt from? Give videos with their tracks, or a folder of them.</source>
   <translation>Woraus soll gelernt werden? Geben Sie Videos mit ihren Tracks an, oder einen Ordner davon.</translation>
  </message>
  <message>
   <source>What the layer of likely places is made of.</source>
   <translation>Woraus der Layer der wahrscheinlichen Orte besteht.</translation>
  </message>
  <message>
   <source>What the map shows</source>
   <translation>Was die Karte zeigt</translation>
  </message>
  <message>
   <source>What would have to be fetched is refused, with what to put where.</source>
   <translation>Was geholt werden müsste, wird abgelehnt, mit dem Hinweis, was wohin gehört.</translation>
  </message>
  <message>
   <source>What you said is kept, and can be tried again.</source>
   <translation>Was Sie gesagt haben, bleibt erhalten und kann erneut versucht werden.</translation>
  </message>
  <message>
   <source>When each video begins, in UTC or in the time zone below. Empty: what the file says; else a flagged base, 2000-01-01.</source>
   <translation>Wann jedes Video beginnt, in UTC oder in der Zeitzone unten. Leer: was die Datei sagt; sonst ein gekennzeichneter Ersatz, 2000-01-01.</translation>
  </message>
  <message>
   <source>When the camera was near the place: choose an entry to see its picture</source>
   <translation>Wann die Kamera in der Nähe war: Wählen Sie einen Eintrag, um sein Bild zu sehen</translation>
  </message>
  <message>
   <source>When the video begins. Empty: what it says.</source>
   <translation>Wann das Video beginnt. Leer: was es sagt.</translation>
  </message>
  <message>
   <source>Where a source has a picture in several sizes.</source>
   <translation>Wenn eine Quelle ein Bild in mehreren Größen hat.</translation>
  </message>
  <message>
   <source>Where are the images {file}?</source>
   <translation>Wo sind die Bilder {file}?</translation>
  </message>
  <message>
   <source>Where is the video from? Give an area of interest: a polygon layer or an extent.</source>
   <translation>Woher ist das Video? Geben Sie ein Gebiet an: einen Polygonlayer oder eine Ausdehnung.</translation>
  </message>
  <message>
   <source>Where is {file}?</source>
   <translation>Wo ist {file}?</translation>
  </message>
  <message>
   <source>Where nobody knows the area: each video is sought in the cities that it is likeliest of, at most five that together have 90 %, and how likely each of them is counts in the answer. Leave the area of interest empty. A video of no known city is left out, and the log says why.</source>
   <translation>Wenn niemand das Gebiet kennt: Jedes Video wird in den Städten gesucht, aus denen es am wahrscheinlichsten ist, höchstens fünf, die zusammen 90 % haben. Wie wahrscheinlich jede davon ist, zählt in der Antwort. Lassen Sie das Gebiet leer. Ein Video aus keiner bekannten Stadt wird weggelassen, und das Protokoll sagt, warum.</translation>
  </message>
  <message>
   <source>Where shall the {what} go? Choose a folder for it: a temporary one would be lost when QGIS is closed.</source>
   <translation>Wohin soll es ({what})? Wählen Sie einen Ordner dafür: Ein temporärer ginge verloren, wenn QGIS geschlossen wird.</translation>
  </message>
  <message>
   <source>Where the checkpoint goes. The same folder, inputs and settings go on with a run that was broken off.</source>
   <translation>Wohin der Checkpoint kommt. Derselbe Ordner, dieselben Eingaben und Einstellungen setzen einen abgebrochenen Lauf fort.</translation>
  </message>
  <message>
   <source>Where the checkpoint was trained</source>
   <translation>Wo der Checkpoint trainiert ist</translation>
  </message>
  <message>
   <source>Where the database goes; one that is there is added to. The same folder, inputs and settings go on with a run that was broken off.</source>
   <translation>Wohin die Datenbank kommt; eine vorhandene wird ergänzt. Derselbe Ordner, dieselben Eingaben und Einstellungen setzen einen abgebrochenen Lauf fort.</translation>
  </message>
  <message>
   <source>Where the video is from; it is never fetched</source>
   <translation>Woher das Video stammt; es wird nie geholt</translation>
  </message>
  <message>
   <source>Where the video may be from.</source>
   <translation>Woher das Video sein kann.</translation>
  </message>
  <message>
   <source>Where the videos may be from; the answer lies inside. Both empty: where the checkpoint was trained, or with a worldwide one the world's land.</source>
   <translation>Woher die Videos sein können; die Antwort liegt darin. Beides leer: wo der Checkpoint trainiert ist, oder mit einem weltweiten das Land der Erde.</translation>
  </message>
  <message>
   <source>Where they lie, in it or in its subfolders.</source>
   <translation>Wo sie liegen, darin oder in seinen Unterordnern.</translation>
  </message>
  <message>
   <source>Where was the camera?</source>
   <translation>Wo war die Kamera?</translation>
  </message>
  <message>
   <source>Where was the camera? Give the truth: a file or a layer.</source>
   <translation>Wo war die Kamera? Geben Sie die wahren Positionen an: eine Datei oder einen Layer.</translation>
  </message>
  <message>
   <source>Whether a video is of a known city</source>
   <translation>Ob ein Video aus einer bekannten Stadt ist</translation>
  </message>
  <message>
   <source>Which answer</source>
   <translation>Welche Antwort</translation>
  </message>
  <message>
   <source>Which area? Draw the area that pictures of '{title}' are wanted of, and give it as a polygon layer or an extent.</source>
   <translation>Welches Gebiet? Zeichnen Sie das Gebiet, aus dem Bilder von „{title}“ gewünscht sind, und geben Sie es als Polygonlayer oder als Ausdehnung an.</translation>
  </message>
  <message>
   <source>Which pictures? Give videos with their tracks, a folder of them, a folder of images, or choose where else pictures are from.</source>
   <translation>Welche Bilder? Geben Sie Videos mit ihren Tracks an, einen Ordner davon, einen Ordner mit Bildern, oder wählen Sie, woher die Bilder sonst stammen.</translation>
  </message>
  <message>
   <source>Who</source>
   <translation>Wer</translation>
  </message>
  <message>
   <source>Who judges</source>
   <translation>Wer urteilt</translation>
  </message>
  <message>
   <source>Who says so</source>
   <translation>Wer das sagt</translation>
  </message>
  <message>
   <source>Whose images and gaps are wanted. Empty: the area that the database was built for, or the box about its images.</source>
   <translation>Wessen Bilder und Lücken gewünscht sind. Leer: das Gebiet, für das die Datenbank gemacht wurde, oder das Rechteck um ihre Bilder.</translation>
  </message>
  <message>
   <source>Why</source>
   <translation>Warum</translation>
  </message>
  <message>
   <source>Why answers are withheld; empty where none is</source>
   <translation>Warum Antworten zurückgehalten werden; leer, wenn keine es wird</translation>
  </message>
  <message>
   <source>Why it is the next</source>
   <translation>Warum er der nächste ist</translation>
  </message>
  <message>
   <source>Why no probability will be shown; empty where there is one</source>
   <translation>Warum keine Wahrscheinlichkeit gezeigt wird; leer, wenn es eine gibt</translation>
  </message>
  <message>
   <source>Why the chosen pin is where it is</source>
   <translation>Warum der gewählte Pin dort ist, wo er ist</translation>
  </message>
  <message>
   <source>Why videos are of no known city; empty where none is</source>
   <translation>Warum Videos aus keiner bekannten Stadt sind; leer, wenn keines es ist</translation>
  </message>
  <message>
   <source>Why:</source>
   <translation>Warum:</translation>
  </message>
  <message>
   <source>Width that is enough (pixels)</source>
   <translation>Breite, die genügt (Pixel)</translation>
  </message>
  <message>
   <source>Will be used after OK: {python}, from {source}.</source>
   <translation>Wird nach OK benutzt: {python}, aus: {source}.</translation>
  </message>
  <message>
   <source>With 'Go on from an existing result': also videos of a batch that failed before and have not changed since, as after a lack of memory. Otherwise they stay failed, with why.</source>
   <translation>Mit „Vorhandenes Ergebnis fortsetzen“: auch Videos eines Stapels, die zuvor gescheitert sind und sich seither nicht geändert haben, etwa nach Speichermangel. Sonst bleiben sie gescheitert, mit dem Grund.</translation>
  </message>
  <message>
   <source>With pins only</source>
   <translation>Nur mit Pins</translation>
  </message>
  <message>
   <source>With pins where there are some</source>
   <translation>Mit Pins wo es welche gibt</translation>
  </message>
  <message>
   <source>Without a checkpoint a video is located by its way along roads alone: give a layer under 'Roads', or choose a checkpoint.</source>
   <translation>Ohne Checkpoint wird ein Video nach seinem Weg auf Straßen allein verortet: Geben Sie unter „Straßen“ einen Layer an, oder wählen Sie einen Checkpoint.</translation>
  </message>
  <message>
   <source>Without a network, or with another index</source>
   <translation>Ohne Netz, oder mit einem anderen Index</translation>
  </message>
  <message>
   <source>Word of the next step; empty where nothing is left to do</source>
   <translation>Wort des nächsten Schritts; leer, wenn nichts mehr zu tun ist</translation>
  </message>
  <message>
   <source>Work offline: VidTAG opens no connection</source>
   <translation>Offline arbeiten: VidTAG öffnet keine Verbindung</translation>
  </message>
  <message>
   <source>Write what could not be written</source>
   <translation>Schreiben, was nicht geschrieben werden konnte</translation>
  </message>
  <message>
   <source>Writing the database.</source>
   <translation>Die Datenbank wird geschrieben.</translation>
  </message>
  <message>
   <source>Writing the layers.</source>
   <translation>Die Layer werden geschrieben.</translation>
  </message>
  <message>
   <source>Writing the points.</source>
   <translation>Die Punkte werden geschrieben.</translation>
  </message>
  <message>
   <source>Writing {subject}.</source>
   <translation>Geschrieben wird {subject}.</translation>
  </message>
  <message>
   <source>XFeat (17 kB a picture)</source>
   <translation>XFeat (17 kB je Bild)</translation>
  </message>
  <message>
   <source>Yes, ask the servers</source>
   <translation>Ja, die Server fragen</translation>
  </message>
  <message>
   <source>Yes, fetch at most (MB)</source>
   <translation>Ja, höchstens so viel holen (MB)</translation>
  </message>
  <message>
   <source>Your own pictures are no secret: results tell their places and show them. Otherwise the database is private.</source>
   <translation>Ihre eigenen Bilder sind kein Geheimnis: Ergebnisse nennen ihre Orte und zeigen sie. Sonst ist die Datenbank privat.</translation>
  </message>
  <message>
   <source>Your own videos and pictures below; Panoramax, in the area below; or one of two kinds of folders, which the address under 'Advanced' names.</source>
   <translation>Ihre eigenen Videos und Bilder unten; Panoramax, im Gebiet unten; oder eine von zwei Arten von Ordnern, die die Adresse unter „Fortgeschrittene Parameter“ nennt.</translation>
  </message>
  <message>
   <source>Zone of the start time, and of pictures' EXIF times that name none, such as Europe/Stockholm. Empty: UTC.</source>
   <translation>Zeitzone der Anfangszeit und der EXIF-Zeiten von Bildern, die keine nennen, etwa Europe/Stockholm. Leer: UTC.</translation>
  </message>
  <message>
   <source>about {time} left</source>
   <translation>noch etwa {time}</translation>
  </message>
  <message>
   <source>accepted</source>
   <translation>angenommen</translation>
  </message>
  <message>
   <source>auto: by the area's size. Else globe, city, site, or numbers such as 256,2048,16384.</source>
   <translation>auto: nach der Größe des Gebiets. Sonst globe, city, site, oder Zahlen wie 256,2048,16384.</translation>
  </message>
  <message>
   <source>by the landmarks</source>
   <translation>nach den Landmarken</translation>
  </message>
  <message>
   <source>by the landmarks of other frames and of this one</source>
   <translation>nach den Landmarken anderer Bilder und dieses Bildes</translation>
  </message>
  <message>
   <source>by the video's file and the landmarks</source>
   <translation>nach der Videodatei und den Landmarken</translation>
  </message>
  <message>
   <source>checkpoint</source>
   <translation>Checkpoint</translation>
  </message>
  <message>
   <source>checkpoint {name}</source>
   <translation>Checkpoint {name}</translation>
  </message>
  <message>
   <source>choose another output for {label}, or {replace} to replace it.</source>
   <translation>Wählen Sie eine andere Ausgabe für {label}, oder {replace}, um sie zu ersetzen.</translation>
  </message>
  <message>
   <source>choose the folder that 'Train for an area' has written</source>
   <translation>Wählen Sie den Ordner, den „Für ein Gebiet trainieren“ geschrieben hat</translation>
  </message>
  <message>
   <source>confirmed</source>
   <translation>bestätigt</translation>
  </message>
  <message>
   <source>database</source>
   <translation>Datenbank</translation>
  </message>
  <message>
   <source>do not keep it</source>
   <translation>nicht behalten</translation>
  </message>
  <message>
   <source>empty: none. pytorch.org, 'Get started', shows the address for your choice</source>
   <translation>leer: keiner. pytorch.org, „Get Started“, zeigt die Adresse für Ihre Wahl</translation>
  </message>
  <message>
   <source>empty: the VIDTAG_ENGINE_PYTHON variable, then the managed environment</source>
   <translation>leer: VIDTAG_ENGINE_PYTHON, dann die verwaltete Umgebung</translation>
  </message>
  <message>
   <source>empty: the package index of your pip</source>
   <translation>leer: der Paketindex Ihres pip</translation>
  </message>
  <message>
   <source>empty: this computer alone; else an address such as tcp://192.168.1.5:8786</source>
   <translation>leer: dieser Rechner allein; sonst eine Adresse wie tcp://192.168.1.5:8786</translation>
  </message>
  <message>
   <source>every frame</source>
   <translation>jedes Bild</translation>
  </message>
  <message>
   <source>folder of images</source>
   <translation>Ordner mit Bildern</translation>
  </message>
  <message>
   <source>folder of the videos</source>
   <translation>Ordner der Videos</translation>
  </message>
  <message>
   <source>folder of videos</source>
   <translation>Ordner mit Videos</translation>
  </message>
  <message>
   <source>folder of videos and tracks</source>
   <translation>Ordner mit Videos und Tracks</translation>
  </message>
  <message>
   <source>folder to validate on</source>
   <translation>Ordner zum Validieren</translation>
  </message>
  <message>
   <source>give a folder that train-city wrote, on the command line</source>
   <translation>Geben Sie einen Ordner an, den train-city auf der Kommandozeile geschrieben hat</translation>
  </message>
  <message>
   <source>here</source>
   <translation>hier</translation>
  </message>
  <message>
   <source>located</source>
   <translation>verortet</translation>
  </message>
  <message>
   <source>margin {margin:.2f}</source>
   <translation>Abstand {margin:.2f}</translation>
  </message>
  <message>
   <source>motion track</source>
   <translation>Bewegungstrack</translation>
  </message>
  <message>
   <source>no state</source>
   <translation>ohne Zustand</translation>
  </message>
  <message>
   <source>none found: name one</source>
   <translation>keines gefunden: Nennen Sie eines</translation>
  </message>
  <message>
   <source>not finished: create goes on with it</source>
   <translation>nicht fertig: „Erstellen“ setzt es fort</translation>
  </message>
  <message>
   <source>not here</source>
   <translation>nicht hier</translation>
  </message>
  <message>
   <source>not in this area</source>
   <translation>nicht in diesem Gebiet</translation>
  </message>
  <message>
   <source>not known</source>
   <translation>nicht bekannt</translation>
  </message>
  <message>
   <source>not rated</source>
   <translation>nicht bewertet</translation>
  </message>
  <message>
   <source>of an earlier plugin: create brings it up to date</source>
   <translation>von einer früheren Version der Erweiterung: „Erstellen“ aktualisiert sie</translation>
  </message>
  <message>
   <source>on unknown ground or outside the area {share}</source>
   <translation>auf unbekanntem Gelände oder außerhalb des Gebiets {share}</translation>
  </message>
  <message>
   <source>ready</source>
   <translation>bereit</translation>
  </message>
  <message>
   <source>reference images {name}</source>
   <translation>Referenzbilder {name}</translation>
  </message>
  <message>
   <source>rejected</source>
   <translation>verworfen</translation>
  </message>
  <message>
   <source>the answer</source>
   <translation>die Antwort</translation>
  </message>
  <message>
   <source>the videos</source>
   <translation>die Videos</translation>
  </message>
  <message>
   <source>tick 'Overwrite' (OVERWRITE=true)</source>
   <translation>wählen Sie „Überschreiben“ (OVERWRITE=true)</translation>
  </message>
  <message>
   <source>track</source>
   <translation>Track</translation>
  </message>
  <message>
   <source>unknown ground</source>
   <translation>unbekanntes Gelände</translation>
  </message>
  <message>
   <source>unlike what was trained on</source>
   <translation>anders als alles Trainierte</translation>
  </message>
  <message>
   <source>unsure</source>
   <translation>unsicher</translation>
  </message>
  <message>
   <source>uv is fetching a Python…</source>
   <translation>uv holt ein Python …</translation>
  </message>
  <message>
   <source>video</source>
   <translation>Video</translation>
  </message>
  <message>
   <source>within {radius:g} m</source>
   <translation>im Umkreis von {radius:g} m</translation>
  </message>
  <message>
   <source>x, y (px)</source>
   <translation>x, y (px)</translation>
  </message>
  <message>
   <source>{address!r} is no address of a Dask scheduler: give one such as tcp://192.168.1.5:8786, or leave it empty.</source>
   <translation>„{address}“ ist keine Adresse eines Dask-Schedulers: Geben Sie eine an, etwa tcp://192.168.1.5:8786, oder lassen Sie sie leer.</translation>
  </message>
  <message>
   <source>{checkpoint} tells places and no cities: {wanted}.</source>
   <translation>{checkpoint} kennt Orte und keine Städte: {wanted}.</translation>
  </message>
  <message>
   <source>{count:,} candidate places on {area:,.2f} km².</source>
   <translation>Mögliche Orte: {count:,} auf {area:,.2f} km².</translation>
  </message>
  <message>
   <source>{count:,} positions of the truth.</source>
   <translation>Wahre Positionen: {count:,}.</translation>
  </message>
  <message>
   <source>{count:,} roads in and about the area.</source>
   <translation>Straßen im Gebiet und darum: {count:,}.</translation>
  </message>
  <message>
   <source>{count:,} roads near the line.</source>
   <translation>Straßen nahe der Linie: {count:,}.</translation>
  </message>
  <message>
   <source>{count:,} roads.</source>
   <translation>Straßen: {count:,}.</translation>
  </message>
  <message>
   <source>{count} finished videos are in {output}, a temporary file: copy it before you close QGIS ({problem}).</source>
   <translation>{count} fertige Videos liegen in {output}, einer temporären Datei: Kopieren Sie sie, bevor Sie QGIS schließen ({problem}).</translation>
  </message>
  <message>
   <source>{count} finished videos are kept in {place}</source>
   <translation>{count} fertige Videos liegen in {place}</translation>
  </message>
  <message>
   <source>{count} finished videos are kept in {results}, {merged} of them so far in {file}: run again with 'Go on from an existing result' (RESUME=true).</source>
   <translation>{count} fertige Videos liegen in {results}, davon bisher {merged} in {file}: Starten Sie noch einmal mit „Vorhandenes Ergebnis fortsetzen“ (RESUME=true).</translation>
  </message>
  <message>
   <source>{count} not judged</source>
   <translation>{count} nicht beurteilt</translation>
  </message>
  <message>
   <source>{count} of {frames} frames show their picture in map tips: {size:.1f} MB in {file}.</source>
   <translation>{count} von {frames} Bildern zeigen sich in Kartenhinweisen: {size:.1f} MB in {file}.</translation>
  </message>
  <message>
   <source>{count} packages and VidTAG's own engine: about {fetch:.1f} GB to fetch from the package index of your pip, with its configuration, QGIS's proxy and your CA, and from {index}, and {disk:.1f} GB in {folder}. Versions and sizes are those measured on Linux; yours may differ a little.</source>
   <translation>{count} Pakete und die Engine von VidTAG: etwa {fetch:.1f} GB zu holen vom Paketindex Ihres pip, mit seiner Konfiguration, dem Proxy von QGIS und Ihrer CA, und von {index}, und {disk:.1f} GB in {folder}. Versionen und Größen sind auf Linux gemessen; Ihre können etwas abweichen.</translation>
  </message>
  <message>
   <source>{count} packages and VidTAG's own engine: about {fetch:.1f} GB to fetch from the package index of your pip, with its configuration, QGIS's proxy and your CA, and {disk:.1f} GB in {folder}. Versions and sizes are those measured on Linux; yours may differ a little.</source>
   <translation>{count} Pakete und die Engine von VidTAG: etwa {fetch:.1f} GB zu holen vom Paketindex Ihres pip, mit seiner Konfiguration, dem Proxy von QGIS und Ihrer CA, und {disk:.1f} GB in {folder}. Versionen und Größen sind auf Linux gemessen; Ihre können etwas abweichen.</translation>
  </message>
  <message>
   <source>{count} polygons: the engine measures them when it starts.</source>
   <translation>{count} Polygone: Die Engine misst sie, wenn sie beginnt.</translation>
  </message>
  <message>
   <source>{count} videos</source>
   <translation>{count} Videos</translation>
  </message>
  <message>
   <source>{distance} from the answer</source>
   <translation>{distance} von der Antwort</translation>
  </message>
  <message>
   <source>{file} is of other videos than this result: make the pictures again.</source>
   <translation>{file} gehört zu anderen Videos als dieses Ergebnis: Erzeugen Sie die Bilder neu.</translation>
  </message>
  <message>
   <source>{flavour}, engine {engine}, {state} ({folder})</source>
   <translation>{flavour}, Engine {engine}, {state} ({folder})</translation>
  </message>
  <message>
   <source>{folder}: {count} files, {size:.1f} MB.</source>
   <translation>{folder}: {count} Dateien, {size:.1f} MB.</translation>
  </message>
  <message>
   <source>{frames} frames written, {left_out} left out.</source>
   <translation>Bilder: {frames} geschrieben, {left_out} weggelassen.</translation>
  </message>
  <message>
   <source>{frames} frames: about {size:.1f} MB in a file beside the result, which itself holds no picture.</source>
   <translation>{frames} Bilder: etwa {size:.1f} MB in einer Datei neben dem Ergebnis, das selbst kein Bild enthält.</translation>
  </message>
  <message>
   <source>{hours:.1f} h</source>
   <translation>{hours:.1f} h</translation>
  </message>
  <message>
   <source>{images:,} reference images of {drives:,} drives; {added:,} are new.</source>
   <translation>Referenzbilder: {images:,} aus {drives:,} Fahrten, davon {added:,} neu.</translation>
  </message>
  <message>
   <source>{images:,} reference images; {gap_share:.0%} of the area has none within reach.</source>
   <translation>Referenzbilder: {images:,}; {gap_share:.0%} des Gebiets hat keines in Reichweite.</translation>
  </message>
  <message>
   <source>{inliers} details in common</source>
   <translation>{inliers} gemeinsame Einzelheiten</translation>
  </message>
  <message>
   <source>{lat:.6f}, {lon:.6f}, looking to {bearing:.0f}°; within {major:.0f} × {minor:.0f} m with 90 %.</source>
   <translation>{lat:.6f}, {lon:.6f}, Blick nach {bearing:.0f}°; mit 90 % innerhalb von {major:.0f} × {minor:.0f} m.</translation>
  </message>
  <message>
   <source>{line!r} is no home zone: give latitude, longitude and metres, such as 55.7047,13.1910,300, one a line.</source>
   <translation>„{line}“ ist keine Privatzone: Geben Sie Breite, Länge und Meter an, etwa 55.7047,13.1910,300, eine je Zeile.</translation>
  </message>
  <message>
   <source>{located} of {frames} frames located</source>
   <translation>{located} von {frames} Bildern verortet</translation>
  </message>
  <message>
   <source>{minutes} min</source>
   <translation>{minutes} min</translation>
  </message>
  <message>
   <source>{name} can be edited once VidTAG has written {file}.</source>
   <translation>{name} kann bearbeitet werden, sobald VidTAG {file} geschrieben hat.</translation>
  </message>
  <message>
   <source>{name} cannot be removed ({why}): close it in other programs, then try again.</source>
   <translation>{name} kann nicht entfernt werden ({why}): Schließen Sie es in anderen Programmen und versuchen Sie es erneut.</translation>
  </message>
  <message>
   <source>{name} exists and bears no mark of this tool: {end}</source>
   <translation>{name} gibt es schon, ohne Kennzeichen dieses Werkzeugs: {end}</translation>
  </message>
  <message>
   <source>{name} has a layer {table!r} already: give {label} another name there, or {replace} to replace it.</source>
   <translation>{name} hat schon einen Layer „{table}“: Geben Sie {label} dort einen anderen Namen, oder {replace}, um ihn zu ersetzen.</translation>
  </message>
  <message>
   <source>{name} has no track: it needs {LEAST_VERTICES} frames with an answer.</source>
   <translation>{name} hat keinen Track: Er braucht {LEAST_VERTICES} Bilder mit einer Antwort.</translation>
  </message>
  <message>
   <source>{name} holds the layer {layer}, which would be lost: choose 'Save to GeoPackage…' to add {label} as a layer, {end}</source>
   <translation>{name} enthält den Layer {layer}, der verloren ginge: Wählen Sie „Speichere in GeoPackage…“, um {label} als Layer hinzuzufügen. Oder: {end}</translation>
  </message>
  <message>
   <source>{name} holds {count} layers ({names}), which would be lost: choose 'Save to GeoPackage…' to add {label} as a layer, {end}</source>
   <translation>{name} enthält {count} Layer ({names}), die verloren gingen: Wählen Sie „Speichere in GeoPackage…“, um {label} als Layer hinzuzufügen. Oder: {end}</translation>
  </message>
  <message>
   <source>{name} was left out: {why}</source>
   <translation>{name} wurde weggelassen: {why}</translation>
  </message>
  <message>
   <source>{name}: 1 pin, {moved} frames moved, the farthest by {farthest:,.0f} m.</source>
   <translation>{name}: 1 Pin, verschobene Bilder: {moved}, am weitesten um {farthest:,.0f} m.</translation>
  </message>
  <message>
   <source>{name}: 1 pin, {moved} frames moved.</source>
   <translation>{name}: 1 Pin, verschobene Bilder: {moved}.</translation>
  </message>
  <message>
   <source>{name}: of no known city.</source>
   <translation>{name}: aus keiner bekannten Stadt.</translation>
  </message>
  <message>
   <source>{name}: {cities}, not rated.</source>
   <translation>{name}: {cities}, nicht bewertet.</translation>
  </message>
  <message>
   <source>{name}: {cities}.</source>
   <translation>{name}: {cities}.</translation>
  </message>
  <message>
   <source>{name}: {located} of {frames} frames located, mean confidence {confidence:.2f}.</source>
   <translation>{name}: {located} von {frames} Bildern verortet, mittlere Konfidenz {confidence:.2f}.</translation>
  </message>
  <message>
   <source>{name}: {located} of {frames} frames located, not rated.</source>
   <translation>{name}: {located} von {frames} Bildern verortet, nicht bewertet.</translation>
  </message>
  <message>
   <source>{name}: {located} of {frames} frames located.</source>
   <translation>{name}: {located} von {frames} Bildern verortet.</translation>
  </message>
  <message>
   <source>{name}: {matched} of {located} located frames lie on a road.</source>
   <translation>{name}: {matched} von {located} verorteten Bildern liegen auf einer Straße.</translation>
  </message>
  <message>
   <source>{name}: {pins} pins, {moved} frames moved, the farthest by {farthest:,.0f} m.</source>
   <translation>{name}: {pins} Pins, verschobene Bilder: {moved}, am weitesten um {farthest:,.0f} m.</translation>
  </message>
  <message>
   <source>{name}: {pins} pins, {moved} frames moved.</source>
   <translation>{name}: {pins} Pins, verschobene Bilder: {moved}.</translation>
  </message>
  <message>
   <source>{other} and {label} go to the same file, {path}: one would overwrite the other. Give each a file of its own.</source>
   <translation>{other} und {label} gehen in dieselbe Datei, {path}: Eines würde das andere überschreiben. Geben Sie jedem eine eigene Datei.</translation>
  </message>
  <message>
   <source>{platform} asks for a token of your own: store it under Settings &gt; Options &gt; Authentication as the password of a configuration 'Basic authentication' (or as an 'API Header'), and choose that.</source>
   <translation>{platform} verlangt ein eigenes Token von Ihnen: Speichern Sie es unter Einstellungen &gt; Optionen &gt; Authentifizierung als Passwort einer Konfiguration „Einfache Authentifizierung“ (oder als „API-Header“), und wählen Sie diese.</translation>
  </message>
  <message>
   <source>{python} does not run the engine: see below.</source>
   <translation>{python} führt die Engine nicht aus: siehe unten.</translation>
  </message>
  <message>
   <source>{rate:g} frames a second</source>
   <translation>{rate:g} Bilder pro Sekunde</translation>
  </message>
  <message>
   <source>{seconds:,.0f} min</source>
   <translation>{seconds:,.0f} min</translation>
  </message>
  <message>
   <source>{seconds:,.0f} s</source>
   <translation>{seconds:,.0f} s</translation>
  </message>
  <message>
   <source>{seconds} s</source>
   <translation>{seconds} s</translation>
  </message>
  <message>
   <source>{share} lies on unknown ground or outside the area.</source>
   <translation>{share} liegen auf unbekanntem Gelände oder außerhalb des Gebiets.</translation>
  </message>
  <message>
   <source>{size}, about {points:,.0f} gallery points, at most about {time} to compute them once.</source>
   <translation>{size}, etwa {points:,.0f} Rasterorte, höchstens etwa {time}, um sie einmal zu berechnen.</translation>
  </message>
  <message>
   <source>{size}, about {points:,.0f} gallery points. How long they take is known once 'Gallery grid' has measured it with your checkpoint.</source>
   <translation>{size}, etwa {points:,.0f} Rasterorte. Wie lange sie dauern, ist bekannt, wenn „Ortsraster“ es mit Ihrem Checkpoint gemessen hat.</translation>
  </message>
  <message>
   <source>{size}, about {points:,.0f} gallery points: 'Geolocate video' makes the likeliest alone, 'Gallery grid' at most {most:,}.</source>
   <translation>{size}, etwa {points:,.0f} Rasterorte: „Video verorten“ macht nur die wahrscheinlichsten, „Ortsraster“ höchstens {most:,}.</translation>
  </message>
  <message>
   <source>{state}, no place on the map</source>
   <translation>{state}, kein Ort auf der Karte</translation>
  </message>
  <message>
   <source>{tracks} tracks are given for {videos} videos: give one track a video, in the same order, or none.</source>
   <translation>{tracks} Tracks sind für {videos} Videos angegeben: Geben Sie einen Track je Video an, in derselben Reihenfolge, oder keinen.</translation>
  </message>
  <message>
   <source>{video} is a folder: give it as the folder of videos.</source>
   <translation>{video} ist ein Ordner: Geben Sie ihn als Ordner mit Videos an.</translation>
  </message>
  <message>
   <source>{video}, {begin:g} to {end:g} s</source>
   <translation>{video}, {begin:g} bis {end:g} s</translation>
  </message>
  <message>
   <source>{video}, {time:g} s</source>
   <translation>{video}, {time:g} s</translation>
  </message>
  <message>
   <source>{where}: {path} is relative, and neither the layer nor the project has a folder; give the whole path.</source>
   <translation>{where}: {path} ist ein relativer Pfad, und weder der Layer noch das Projekt hat einen Ordner; geben Sie den ganzen Pfad an.</translation>
  </message>
  <message>
   <source>{which} does not say its frame: give a whole number in its field {frame!r}, or delete the pin.</source>
   <translation>{which} nennt sein Bild nicht: Geben Sie in seinem Feld „{frame}“ eine ganze Zahl an, oder löschen Sie den Pin.</translation>
  </message>
  <message>
   <source>{which} has no place: set its point on the map, or delete it.</source>
   <translation>{which} hat keinen Ort: Setzen Sie seinen Punkt auf der Karte, oder löschen Sie ihn.</translation>
  </message>
  <message>
   <source>{which} says {value!r} in its field {field!r}: write {HERE!r} or {NOT_HERE!r}, or true or false.</source>
   <translation>{which} sagt „{value}“ in seinem Feld „{field}“: Schreiben Sie „{HERE}“ oder „{NOT_HERE}“, oder true oder false.</translation>
  </message>
  <message>
   <source>{why} All else is written; the rest lies in {geopackage}.</source>
   <translation>{why} Alles andere ist geschrieben; der Rest liegt in {geopackage}.</translation>
  </message>
  <message>
   <source>{without} features of the truth {name!r} have no place or no time that can be read, and were left out.</source>
   <translation>{without} Objekte der wahren Positionen „{name}“ haben keinen Ort oder keine lesbare Zeit und wurden weggelassen.</translation>
  </message>
 </context>
 <context>
  <name>VidTAG engine</name>
  <message>
   <source> Exit status {status}.</source>
   <translation> Exit-Status {status}.</translation>
  </message>
  <message>
   <source> The system killed it, most likely for want of memory: take a coarser grid or a smaller batch.</source>
   <translation>Das System hat sie beendet, wohl aus Mangel an Speicher: Nehmen Sie eine größere Rasterweite oder einen kleineren Stapel.</translation>
  </message>
  <message>
   <source>, and goes on after {count} finished video{count_}</source>
   <translation>, und macht nach {count} fertigen Videos weiter{count_}</translation>
  </message>
  <message>
   <source>A cached gallery was damaged; it is computed again.</source>
   <translation>Zwischengespeicherte Rasterorte waren beschädigt; sie werden neu berechnet.</translation>
  </message>
  <message>
   <source>A file may not be written: choose a cache folder of your own, and close other programs that use the environment.</source>
   <translation>Eine Datei darf nicht geschrieben werden: Wählen Sie einen eigenen Cache-Ordner, und schließen Sie andere Programme, die die Umgebung benutzen.</translation>
  </message>
  <message>
   <source>A person has changed {changed} in {path}, which would be made anew: give --output to write a copy instead.</source>
   <translation>Jemand hat {changed} in {path} geändert, was neu gemacht würde: Geben Sie --output an, um stattdessen eine Kopie zu schreiben.</translation>
  </message>
  <message>
   <source>A person has changed {name} ({changed}{more}): choose another output, or add --overwrite to replace it.</source>
   <translation>Jemand hat {name} geändert ({changed}{more}): Wählen Sie eine andere Ausgabe, oder mit --overwrite ersetzen Sie es.</translation>
  </message>
  <message>
   <source>Bringing pip up to date</source>
   <translation>pip wird aktualisiert</translation>
  </message>
  <message>
   <source>CSV copy</source>
   <translation>CSV-Kopie</translation>
  </message>
  <message>
   <source>Cancelled. What is done is kept: the next time it goes on from there.</source>
   <translation>Abgebrochen. Was fertig ist, bleibt: Das nächste Mal geht es von dort weiter.</translation>
  </message>
  <message>
   <source>Checkpoint folder {parent} has no {config_file}: give the folder that 'vidtag train' wrote.</source>
   <translation>Im Ordner des Checkpoints {parent} fehlt {config_file}: Geben Sie den Ordner an, den 'vidtag train' geschrieben hat.</translation>
  </message>
  <message>
   <source>Checkpoint folder {parent} has no {weights}: give the folder that 'vidtag train' wrote.</source>
   <translation>Im Ordner des Checkpoints {parent} fehlt {weights}: Geben Sie den Ordner an, den 'vidtag train' geschrieben hat.</translation>
  </message>
  <message>
   <source>Checkpoint {hub_id} is no local path, and the Hub gives nothing under that name (offline, unknown or private): check the name, go online once, or give a local folder.</source>
   <translation>Der Checkpoint {hub_id} ist kein lokaler Pfad, und der Hub gibt unter diesem Namen nichts (offline, unbekannt oder privat): Prüfen Sie den Namen, gehen Sie einmal online, oder geben Sie einen lokalen Ordner an.</translation>
  </message>
  <message>
   <source>Checkpoint {text} does not exist: give a folder, a .safetensors file, a Hub id (owner/name) or 'geoclip'.</source>
   <translation>Den Checkpoint {text} gibt es nicht: Geben Sie einen Ordner, eine .safetensors-Datei, eine Hub-ID (owner/name) oder 'geoclip' an.</translation>
  </message>
  <message>
   <source>Checkpoint {weights} is damaged: its SHA-256 is not the one in {named}; copy or train it again.</source>
   <translation>Der Checkpoint {weights} ist beschädigt: Sein SHA-256 ist nicht der in {named}. Kopieren oder trainieren Sie ihn noch einmal.</translation>
  </message>
  <message>
   <source>Clearing away what an earlier removal has left</source>
   <translation>Reste eines früheren Entfernens werden beseitigt</translation>
  </message>
  <message>
   <source>Device 'cuda' is not available here (no NVIDIA GPU, or torch was installed without CUDA): give auto or cpu.</source>
   <translation>Das Gerät 'cuda' gibt es hier nicht (keine NVIDIA-GPU, oder torch wurde ohne CUDA installiert): Nehmen Sie auto oder cpu.</translation>
  </message>
  <message>
   <source>Device 'mps' is not available here (it needs a Mac with Apple silicon): give auto or cpu.</source>
   <translation>Das Gerät 'mps' gibt es hier nicht (es braucht einen Mac mit Apple-Chip): Nehmen Sie auto oder cpu.</translation>
  </message>
  <message>
   <source>Downloading {name}: {current_mb} of {int} MB</source>
   <translation>{name} wird geladen: {current_mb} von {int} MB</translation>
  </message>
  <message>
   <source>Everything is installed, but the engine does not start: {error}</source>
   <translation>Alles ist installiert, aber die Engine startet nicht: {error}</translation>
  </message>
  <message>
   <source>GPX copy</source>
   <translation>GPX-Kopie</translation>
  </message>
  <message>
   <source>GeoJSON copy</source>
   <translation>GeoJSON-Kopie</translation>
  </message>
  <message>
   <source>HTML report</source>
   <translation>HTML-Bericht</translation>
  </message>
  <message>
   <source>How the camera moved cannot be told from its pictures, as of one that looks down or aside: give a motion track.</source>
   <translation>Wie die Kamera sich bewegt hat, lässt sich aus ihren Bildern nicht sagen, etwa wenn sie nach unten oder zur Seite blickt: Geben Sie einen Bewegungstrack an.</translation>
  </message>
  <message>
   <source>Installing packages: {min} of {installing}</source>
   <translation>Pakete werden installiert: {min} von {installing}</translation>
  </message>
  <message>
   <source>Installing {installing} packages</source>
   <translation>Pakete werden installiert: {installing}</translation>
  </message>
  <message>
   <source>KML copy</source>
   <translation>KML-Kopie</translation>
  </message>
  <message>
   <source>Looking for PyTorch's build</source>
   <translation>Der Build von PyTorch wird gesucht</translation>
  </message>
  <message>
   <source>Looking up {group}</source>
   <translation>{group} wird nachgesehen</translation>
  </message>
  <message>
   <source>Make one in Settings &gt; Options &gt; VidTAG (Create environment…), or point Settings &gt; Options &gt; Processing &gt; Providers &gt; VidTAG, or the variable {python_variable}, at the python of an environment where `pip install` has put vidtag-engine.</source>
   <translation>Erstellen Sie eine unter Einstellungen &gt; Optionen &gt; VidTAG (Umgebung erstellen …), oder stellen Sie Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Datenanbieter &gt; VidTAG oder die Variable {python_variable} auf das Python einer Umgebung, in die `pip install` vidtag-engine installiert hat.</translation>
  </message>
  <message>
   <source>Making the environment</source>
   <translation>Die Umgebung wird erstellt</translation>
  </message>
  <message>
   <source>Markdown report</source>
   <translation>Markdown-Bericht</translation>
  </message>
  <message>
   <source>Moving {name}</source>
   <translation>{name} wird verschoben</translation>
  </message>
  <message>
   <source>No Dask scheduler answers at {where} ({said}): give its address, such as tcp://host:8786, or 'local'.</source>
   <translation>Unter {where} antwortet kein Dask-Scheduler ({said}): Geben Sie seine Adresse an, etwa tcp://host:8786.</translation>
  </message>
  <message>
   <source>No Python {minimum}.{minimum_} or newer was found outside QGIS: {how}, or name one in the field above, then try again.</source>
   <translation>Kein Python {minimum}.{minimum_} oder neuer wurde außerhalb von QGIS gefunden. {how}, oder nennen Sie eines im Feld oben, und versuchen Sie es noch einmal.</translation>
  </message>
  <message>
   <source>No area was given: it is where the tracks lead, and {margin_m} m about it ({box}).</source>
   <translation>Es ist kein Gebiet angegeben: Es ist dort, wohin die Tracks führen, und {margin_m} m darum ({box}).</translation>
  </message>
  <message>
   <source>No area was given: the extent that the checkpoint was trained on is searched ({west},{south},{east},{north}).</source>
   <translation>Es ist kein Gebiet angegeben: Durchsucht wird die Ausdehnung, auf der der Checkpoint trainiert ist ({west},{south},{east},{north}).</translation>
  </message>
  <message>
   <source>No area was given: the world's land is searched (Natural Earth 1:10m, widened by 4 km).</source>
   <translation>Es ist kein Gebiet angegeben: Durchsucht wird das Land der Erde (Natural Earth 1:10m, um 4 km erweitert).</translation>
  </message>
  <message>
   <source>No frame of {source} can be compared with the truth: {names}; {names_}.</source>
   <translation>Kein Bild von {source} lässt sich mit den wahren Positionen vergleichen: {names}; {names_}.</translation>
  </message>
  <message>
   <source>No road of {called} lies in the area: it is of another place, or its coordinate system is not the one that it states ({system}); give the roads of this place, or their right system.</source>
   <translation>Keine Straße von {called} liegt im Gebiet: Sie sind von einem anderen Ort, oder ihr Koordinatenbezugssystem ist nicht das angegebene ({system}). Geben Sie die Straßen dieses Ortes oder ihr richtiges System an.</translation>
  </message>
  <message>
   <source>None of the {count} cities that this checkpoint knows: of their videos {share} % look so foreign.</source>
   <translation>Keine der {count} Städte, die dieser Checkpoint kennt: Von ihren Videos sehen {share} % so fremd aus.</translation>
  </message>
  <message>
   <source>Not rated: too few videos were held out when this checkpoint was trained to say how sure to be.</source>
   <translation>Nicht bewertet: Beim Training dieses Checkpoints wurden zu wenige Videos zurückgehalten, um zu sagen, wie sicher die Antwort ist.</translation>
  </message>
  <message>
   <source>Nothing has calibrated probabilities for this video: its places are not rated.</source>
   <translation>Für dieses Video hat nichts die Wahrscheinlichkeiten kalibriert: Seine Orte sind nicht bewertet.</translation>
  </message>
  <message>
   <source>Nothing is left to do.</source>
   <translation>Es bleibt nichts zu tun.</translation>
  </message>
  <message>
   <source>PDF to hand over</source>
   <translation>PDF zum Weitergeben</translation>
  </message>
  <message>
   <source>Pins are set, and no scores were kept to solve with: locate the videos again and keep them.</source>
   <translation>Pins sind gesetzt, und es wurden keine Bewertungen zum Lösen behalten: Verorten Sie die Videos noch einmal, und behalten Sie sie.</translation>
  </message>
  <message>
   <source>Pins have been set since it was solved last: solve with them.</source>
   <translation>Seit dem letzten Lösen wurden Pins gesetzt: Lösen Sie mit ihnen.</translation>
  </message>
  <message>
   <source>Plugin and engine do not fit together: the engine {engine} in {python} speaks protocol {protocol}, this plugin {protocol_version}. The {newer} is newer: update the {older}.</source>
   <translation>Erweiterung und Engine passen nicht zusammen: Die Engine {engine} in {python} spricht das Protokoll {protocol}, diese Erweiterung {protocol_version}. Neuer ist: {newer}. Aktualisieren Sie: {older}.</translation>
  </message>
  <message>
   <source>Preparing VidTAG's engine</source>
   <translation>Die Engine von VidTAG wird vorbereitet</translation>
  </message>
  <message>
   <source>QGIS uses a SOCKS proxy, which pip cannot use without help. Set an HTTP proxy in Settings &gt; Options &gt; Network, or install from a folder of wheels.</source>
   <translation>QGIS benutzt einen SOCKS-Proxy, den pip nicht ohne Hilfe benutzen kann. Stellen Sie unter Einstellungen &gt; Optionen &gt; Netzwerk einen HTTP-Proxy ein, oder installieren Sie aus einem Ordner mit Wheels.</translation>
  </message>
  <message>
   <source>Reading {split}</source>
   <translation>{split} wird gelesen</translation>
  </message>
  <message>
   <source>So wide an area is not decoded as a whole: the top speed had no effect; give a smaller area.</source>
   <translation>Ein so weites Gebiet wird nicht als Ganzes dekodiert: Die Höchstgeschwindigkeit hatte keine Wirkung. Geben Sie ein kleineres Gebiet an.</translation>
  </message>
  <message>
   <source>Starting the engine once</source>
   <translation>Die Engine wird einmal gestartet</translation>
  </message>
  <message>
   <source>The VidTAG engine was not found. {how_to}</source>
   <translation>Die Engine von VidTAG wurde nicht gefunden. {how_to}</translation>
  </message>
  <message>
   <source>The area ({area_m2} km²) is too large to compare every place: the search is a beam from {coarse_points} coarse places, some {coarse_step_m} km apart, not exhaustive.</source>
   <translation>Das Gebiet ({area_m2} km²) ist zu groß, um jeden Ort zu vergleichen: Gesucht wird von {coarse_points} groben Orten aus, etwa {coarse_step_m} km voneinander, nicht erschöpfend.</translation>
  </message>
  <message>
   <source>The area at {resolution_m} m makes {count} gallery points ({size} GB of embeddings), more than the {fitting} that fit; take a resolution of {coarser} m or more, or a smaller area.</source>
   <translation>Das Gebiet ergibt bei {resolution_m} m {count} Rasterorte ({size} GB Embeddings), mehr als die {fitting}, die passen: Nehmen Sie eine Rasterweite von {coarser} m oder mehr, oder ein kleineres Gebiet.</translation>
  </message>
  <message>
   <source>The area at {resolution_m} m makes {count} points, more than the {max_points} that are written: take a coarser resolution or a smaller area.</source>
   <translation>Das Gebiet ergibt bei {resolution_m} m {count} Punkte, mehr als die {max_points}, die geschrieben werden: Nehmen Sie eine größere Rasterweite oder ein kleineres Gebiet.</translation>
  </message>
  <message>
   <source>The area is far larger than that of the reference images: give one within {west},{south},{east},{north}, or a coarser resolution.</source>
   <translation>Das Gebiet ist viel größer als das der Referenzbilder: Geben Sie eines innerhalb von {west},{south},{east},{north} an, oder eine größere Rasterweite.</translation>
  </message>
  <message>
   <source>The area is given and is to be guessed as well: leave out one of --aoi and --guess-area.</source>
   <translation>Das Gebiet ist angegeben und soll auch geschätzt werden: Lassen Sie eines von --aoi und --guess-area weg.</translation>
  </message>
  <message>
   <source>The area lies outside the one that the checkpoint was trained on: expect no useful answer there.</source>
   <translation>Das Gebiet liegt außerhalb dessen, auf dem der Checkpoint trainiert ist: Erwarten Sie dort keine brauchbare Antwort.</translation>
  </message>
  <message>
   <source>The camera hardly moved, and a way without a length fits everywhere: give a longer stretch.</source>
   <translation>Die Kamera hat sich kaum bewegt, und ein Weg ohne Länge passt überall: Geben Sie einen längeren Abschnitt an.</translation>
  </message>
  <message>
   <source>The checkpoint knows nothing of that area: give the area that it was trained for, or none.</source>
   <translation>Der Checkpoint weiß nichts von diesem Gebiet: Geben Sie das an, für das er trainiert ist, oder keines.</translation>
  </message>
  <message>
   <source>The checkpoint that guesses cities was never calibrated, so nothing says which are likely: give an area with --aoi.</source>
   <translation>Der Checkpoint, der Städte schätzt, wurde nie kalibriert, also sagt nichts, welche wahrscheinlich sind: Geben Sie mit --aoi ein Gebiet an.</translation>
  </message>
  <message>
   <source>The consent is for another plan: show this one, and let the user agree to it.</source>
   <translation>Die Zustimmung gilt für einen anderen Plan: Zeigen Sie diesen, und lassen Sie ihm zustimmen.</translation>
  </message>
  <message>
   <source>The disk is full: free some space, or move the cache folder to another disk, {again}</source>
   <translation>Die Platte ist voll: Schaffen Sie Platz, oder verschieben Sie den Cache-Ordner auf eine andere Platte, {again}</translation>
  </message>
  <message>
   <source>The engine did not greet within {timeout_s} s ({python}) and was stopped.</source>
   <translation>Die Engine hat sich nicht innerhalb von {timeout_s} s gemeldet ({python}) und wurde angehalten.</translation>
  </message>
  <message>
   <source>The engine ended before it answered.</source>
   <translation>Die Engine endete, bevor sie geantwortet hat.</translation>
  </message>
  <message>
   <source>The engine failed: {message}. {report}</source>
   <translation>Die Engine ist gescheitert: {message}. {report}</translation>
  </message>
  <message>
   <source>The engine has said nothing for {silence_timeout_s} s and was stopped.</source>
   <translation>Die Engine hat {silence_timeout_s} s lang nichts gesagt und wurde angehalten.</translation>
  </message>
  <message>
   <source>The engine in {python} (from {source}) ended before it greeted.</source>
   <translation>Die Engine in {python} (aus: {source}) endete, bevor sie sich gemeldet hat.</translation>
  </message>
  <message>
   <source>The engine is ready.</source>
   <translation>Die Engine ist bereit.</translation>
  </message>
  <message>
   <source>The engine that was kept for this run has ended: it is started again{where}.</source>
   <translation>Die Engine, die für diesen Lauf bereitgehalten wurde, ist zu Ende: Sie wird noch einmal gestartet{where}.</translation>
  </message>
  <message>
   <source>The engine's Python that {source} names is not a program that may be run: {value}. Correct it. {how_to}</source>
   <translation>Das Python der Engine ist kein Programm, das ausgeführt werden darf ({source}): {value}. Berichtigen Sie es. {how_to}</translation>
  </message>
  <message>
   <source>The engine's Python that {source} names is not there: {value}. Correct it. {how_to}</source>
   <translation>Das Python der Engine ist nicht da ({source}): {value}. Berichtigen Sie es. {how_to}</translation>
  </message>
  <message>
   <source>The engine's Python, {python} (from {source}), has no {package}, which the engine needs. {how_to}</source>
   <translation>Dem Python der Engine, {python} (aus: {source}), fehlt {package}, das die Engine braucht. {how_to}</translation>
  </message>
  <message>
   <source>The engine's Python, {python}, cannot be started ({error}). {how_to}</source>
   <translation>Das Python der Engine, {python}, kann nicht gestartet werden ({error}). {how_to}</translation>
  </message>
  <message>
   <source>The engine's answer cannot be sent: {error}</source>
   <translation>Die Antwort der Engine kann nicht gesendet werden: {error}</translation>
  </message>
  <message>
   <source>The engine's source is not in {source}: install the plugin again.</source>
   <translation>Der Quelltext der Engine ist nicht in {source}: Installieren Sie die Erweiterung noch einmal.</translation>
  </message>
  <message>
   <source>The environment has no pip: remove it, {again}</source>
   <translation>Die Umgebung hat kein pip: Entfernen Sie sie, {again}</translation>
  </message>
  <message>
   <source>The environment is being made already, maybe by another QGIS: wait until it is done.</source>
   <translation>Die Umgebung wird schon erstellt, vielleicht von einem anderen QGIS: Warten Sie, bis sie fertig ist.</translation>
  </message>
  <message>
   <source>The folder of wheels has no {group} for this system and Python: add its wheel to the folder, {again}</source>
   <translation>Der Ordner mit Wheels hat kein {group} für dieses System und Python: Fügen Sie sein Wheel dem Ordner hinzu, {again}</translation>
  </message>
  <message>
   <source>The folder of wheels is not there: {wheels}. Choose another one.</source>
   <translation>Der Ordner mit Wheels ist nicht da: {wheels}. Wählen Sie einen anderen.</translation>
  </message>
  <message>
   <source>The folder {folder} cannot take the checkpoint: its subfolder training holds something else than a training's state; choose another output, or {replace} to write into it.</source>
   <translation>Der Ordner {folder} kann den Checkpoint nicht aufnehmen: Sein Unterordner training enthält etwas anderes als den Stand eines Trainings. Wählen Sie eine andere Ausgabe, oder {replace}, um hineinzuschreiben.</translation>
  </message>
  <message>
   <source>The folder {folder} cannot take the checkpoint: {startswith}</source>
   <translation>Der Ordner {folder} kann den Checkpoint nicht aufnehmen: {startswith}</translation>
  </message>
  <message>
   <source>The folder {folder} of the output {path} cannot be written to: choose another.</source>
   <translation>In den Ordner {folder} der Ausgabe {path} kann nicht geschrieben werden: Wählen Sie einen anderen.</translation>
  </message>
  <message>
   <source>The folder {folder} of the output {path} does not exist: make it first, or choose another.</source>
   <translation>Den Ordner {folder} der Ausgabe {path} gibt es nicht: Legen Sie ihn zuerst an, oder wählen Sie einen anderen.</translation>
  </message>
  <message>
   <source>The gallery's embeddings take {size} GB, more than {limit}; they are not kept.</source>
   <translation>Die Embeddings der Rasterorte brauchen {size} GB, mehr als {limit}; sie werden nicht behalten.</translation>
  </message>
  <message>
   <source>The kind of PyTorch is {names}, not {flavour}.</source>
   <translation>Die Art von PyTorch ist eine von {names}, nicht {flavour}.</translation>
  </message>
  <message>
   <source>The list of the engine's packages cannot be read ({error}): install the plugin again.</source>
   <translation>Die Liste der Pakete der Engine kann nicht gelesen werden ({error}): Installieren Sie die Erweiterung noch einmal.</translation>
  </message>
  <message>
   <source>The map ranks places, its numbers are no probabilities: this checkpoint cannot tell how sure to be, as {said}.</source>
   <translation>Die Karte ordnet Orte, ihre Zahlen sind keine Wahrscheinlichkeiten: Dieser Checkpoint kann nicht sagen, wie sicher die Antwort ist: {said}.</translation>
  </message>
  <message>
   <source>The map's numbers are no probabilities: {why_unknown}</source>
   <translation>Die Zahlen der Karte sind keine Wahrscheinlichkeiten: {why_unknown}</translation>
  </message>
  <message>
   <source>The new cache folder lies in the old one: choose a folder beside it.</source>
   <translation>Der neue Cache-Ordner liegt im alten: Wählen Sie einen Ordner daneben.</translation>
  </message>
  <message>
   <source>The output {Path} is given for two outputs of this call: choose another for one of them.</source>
   <translation>Die Ausgabe {Path} ist für zwei Ausgaben dieses Aufrufs angegeben: Wählen Sie für eine davon eine andere.</translation>
  </message>
  <message>
   <source>The output {folder} cannot be made, because {there} cannot be written to: choose another folder.</source>
   <translation>Die Ausgabe {folder} kann nicht angelegt werden, weil in {there} nicht geschrieben werden kann: Wählen Sie einen anderen Ordner.</translation>
  </message>
  <message>
   <source>The output {folder} is a file: give a folder for the checkpoint.</source>
   <translation>Die Ausgabe {folder} ist eine Datei: Geben Sie einen Ordner für den Checkpoint an.</translation>
  </message>
  <message>
   <source>The output {path} exists and is write-protected: choose another output, or allow writing to it.</source>
   <translation>Die Ausgabe {path} gibt es schon, und sie ist schreibgeschützt: Wählen Sie eine andere Ausgabe, oder erlauben Sie das Schreiben.</translation>
  </message>
  <message>
   <source>The output {path} is a device or pipe, no file: give the path of a file.</source>
   <translation>Die Ausgabe {path} ist ein Gerät oder eine Pipe, keine Datei: Geben Sie den Pfad einer Datei an.</translation>
  </message>
  <message>
   <source>The output {path} is a folder: give the path of a file.</source>
   <translation>Die Ausgabe {path} ist ein Ordner: Geben Sie den Pfad einer Datei an.</translation>
  </message>
  <message>
   <source>The output {path} is also an input of this call, and would be lost: choose another output.</source>
   <translation>Die Ausgabe {path} ist auch eine Eingabe dieses Aufrufs und ginge verloren: Wählen Sie eine andere Ausgabe.</translation>
  </message>
  <message>
   <source>The package index cannot be reached: check the network and, in Settings &gt; Options &gt; Network, the proxy, then create again: it goes on where it stopped.</source>
   <translation>Der Paketindex ist nicht erreichbar: Prüfen Sie das Netz und, unter Einstellungen &gt; Optionen &gt; Netzwerk, den Proxy, und klicken Sie dann noch einmal auf „Erstellen“: Es geht dort weiter, wo es aufgehört hat.</translation>
  </message>
  <message>
   <source>The package index has no {group} for this system and Python: check the index in pip's configuration, or choose another Python, {again}</source>
   <translation>Der Paketindex hat kein {group} für dieses System und Python: Prüfen Sie den Index in der Konfiguration von pip, oder wählen Sie ein anderes Python, {again}</translation>
  </message>
  <message>
   <source>The package index names no version of {group} for this system: it cannot be reached, or does not have it. Check the network and the index in pip's configuration, {again}</source>
   <translation>Der Paketindex nennt keine Version von {group} für dieses System: Er ist nicht erreichbar oder hat es nicht. Prüfen Sie das Netz und den Index in der Konfiguration von pip, {again}</translation>
  </message>
  <message>
   <source>The package index refuses you: check its address and your login in pip's configuration, {again}</source>
   <translation>Der Paketindex weist Sie ab: Prüfen Sie seine Adresse und Ihre Anmeldung in der Konfiguration von pip, {again}</translation>
  </message>
  <message>
   <source>The packages that the index offers do not fit together: a constraint in pip's configuration may be the reason; the log names it.</source>
   <translation>Die Pakete, die der Index anbietet, passen nicht zusammen: Eine Einschränkung in der Konfiguration von pip kann der Grund sein; das Protokoll nennt sie.</translation>
  </message>
  <message>
   <source>The pin at {time_s} s of {video} was left out: another lies nearer to its frame.</source>
   <translation>Der Pin bei {time_s} s von {video} wurde weggelassen: Ein anderer liegt näher an seinem Bild.</translation>
  </message>
  <message>
   <source>The pin on frame {frame_index} of {video} lies {away_m} m outside the area that was searched: move it, or run geolocate again over a larger area.</source>
   <translation>Der Pin auf Bild {frame_index} von {video} liegt {away_m} m außerhalb des durchsuchten Gebiets: Verschieben Sie ihn, oder verorten Sie noch einmal in einem größeren Gebiet.</translation>
  </message>
  <message>
   <source>The pins on frames {frame_index} and {frame_index_} of {video} lie {apart_m} m apart, and {seconds} s at {kmh} km/h do not reach that far: move one, or run geolocate again with another --motion.</source>
   <translation>Die Pins auf den Bildern {frame_index} und {frame_index_} von {video} liegen {apart_m} m auseinander, und {seconds} s mit {kmh} km/h reichen nicht so weit: Verschieben Sie einen, oder verorten Sie noch einmal mit einem anderen --motion.</translation>
  </message>
  <message>
   <source>The proxy refuses the connection: check its host, name and password in Settings &gt; Options &gt; Network, {again}</source>
   <translation>Der Proxy lehnt die Verbindung ab: Prüfen Sie unter Einstellungen &gt; Optionen &gt; Netzwerk seinen Rechner, Namen und sein Passwort, {again}</translation>
  </message>
  <message>
   <source>The roads of {called} in the area are shorter than {spacing_m} m: give a layer of streets.</source>
   <translation>Die Straßen von {called} im Gebiet sind kürzer als {spacing_m} m: Geben Sie einen Layer mit Straßen an.</translation>
  </message>
  <message>
   <source>The scores {path} are damaged ({error}); run geolocate again with --keep-scores --overwrite; its pins are kept.</source>
   <translation>Die Bewertungen {path} sind beschädigt ({error}): Verorten Sie noch einmal mit --keep-scores --overwrite; die Pins bleiben.</translation>
  </message>
  <message>
   <source>The scores {path} are not there: run geolocate again with --keep-scores --overwrite; its pins are kept.</source>
   <translation>Die Bewertungen {path} sind nicht da: Verorten Sie noch einmal mit --keep-scores --overwrite; die Pins bleiben.</translation>
  </message>
  <message>
   <source>The server's certificate is not trusted: where your network checks traffic, give pip its CA (`pip config set global.cert FILE`, or the variable PIP_CERT), {again}</source>
   <translation>Dem Zertifikat des Servers wird nicht vertraut: Wenn Ihr Netz den Verkehr prüft, geben Sie pip dessen CA (`pip config set global.cert DATEI`, oder die Variable PIP_CERT), {again}</translation>
  </message>
  <message>
   <source>The setting for the engine's source folder</source>
   <translation>Die Einstellung für den Ordner mit dem Quelltext der Engine</translation>
  </message>
  <message>
   <source>The video does not say when it was taken: times are seconds after its start.</source>
   <translation>Das Video sagt nicht, wann es aufgenommen wurde: Zeiten sind Sekunden nach seinem Anfang.</translation>
  </message>
  <message>
   <source>The video {path} is not there any more: put it back, or say where it is.</source>
   <translation>Das Video {path} ist nicht mehr da: Legen Sie es zurück, oder sagen Sie, wo es ist.</translation>
  </message>
  <message>
   <source>The video {places} is not there: say where it is.</source>
   <translation>Das Video {places} ist nicht da: Sagen Sie, wo es ist.</translation>
  </message>
  <message>
   <source>The weights of {what} are not on this machine, and VidTAG works offline: {put}</source>
   <translation>Die Gewichte von {what} sind nicht auf diesem Rechner, und VidTAG arbeitet offline: {put}</translation>
  </message>
  <message>
   <source>The weights of {what} cannot be loaded ({exists}): go online once, or {put}</source>
   <translation>Die Gewichte von {what} können nicht geladen werden ({exists}): Gehen Sie einmal online, oder {put}</translation>
  </message>
  <message>
   <source>There is no VidTAG engine in {python} (from {source}). {how_to}</source>
   <translation>In {python} (aus: {source}) gibt es keine VidTAG-Engine. {how_to}</translation>
  </message>
  <message>
   <source>There is no result yet: locate videos within an area.</source>
   <translation>Es gibt noch kein Ergebnis: Verorten Sie Videos in einem Gebiet.</translation>
  </message>
  <message>
   <source>There is no room: {needed_mb} GB are needed on the disk of {folder}, and {free_mb} GB are free. Free some space, or move the cache folder to another disk.</source>
   <translation>Der Platz reicht nicht: {needed_mb} GB werden auf der Platte von {folder} gebraucht, und {free_mb} GB sind frei. Schaffen Sie Platz, oder verschieben Sie den Cache-Ordner auf eine andere Platte.</translation>
  </message>
  <message>
   <source>These libraries are missing after the installation: {names}. See the log.</source>
   <translation>Diese Bibliotheken fehlen nach der Installation: {names}. Siehe das Protokoll.</translation>
  </message>
  <message>
   <source>This Python cannot make environments: on Debian and Ubuntu run `sudo apt install python3-venv`, {again}</source>
   <translation>Dieses Python kann keine Umgebungen erstellen: Führen Sie auf Debian und Ubuntu `sudo apt install python3-venv` aus, {again}</translation>
  </message>
  <message>
   <source>This checkpoint answers frame by frame: the top speed narrows the regions, and moves no place.</source>
   <translation>Dieser Checkpoint antwortet Bild für Bild: Die Höchstgeschwindigkeit verengt die Regionen und verschiebt keinen Ort.</translation>
  </message>
  <message>
   <source>This checkpoint's frames keep their own answers: the map shows each frame by itself.</source>
   <translation>Die Bilder dieses Checkpoints behalten ihre eigenen Antworten: Die Karte zeigt jedes Bild für sich.</translation>
  </message>
  <message>
   <source>This is a fault of VidTAG: please report it with the log below.</source>
   <translation>Das ist ein Fehler in VidTAG: Bitte melden Sie ihn mit dem Protokoll unten.</translation>
  </message>
  <message>
   <source>VidTAG works offline, so nothing is fetched: collect the wheels on a machine that has a network (the page 'The engine's environment' says how), and give their folder.</source>
   <translation>VidTAG arbeitet offline, also wird nichts geholt: Sammeln Sie die Wheels auf einem Rechner mit Netz (die Seite „The engine's environment“ sagt, wie), und geben Sie ihren Ordner an.</translation>
  </message>
  <message>
   <source>Your package index has no {kind} build of torch and torchvision for this system. Give the address of PyTorch's own index, which the 'Get started' page of pytorch.org shows for your choice, in the field 'PyTorch's index'; or choose {other}.</source>
   <translation>Ihr Paketindex hat keinen Build ({kind}) von torch und torchvision für dieses System. Geben Sie die Adresse des Index von PyTorch, die die Seite „Get Started“ von pytorch.org für Ihre Wahl zeigt, im Feld „Index für PyTorch“ an; oder wählen Sie {other}.</translation>
  </message>
  <message>
   <source>checkpoint folder</source>
   <translation>Ordner eines Checkpoints</translation>
  </message>
  <message>
   <source>choose another output, or {replace} to replace it.</source>
   <translation>Wählen Sie eine andere Ausgabe, oder {replace}, um sie zu ersetzen.</translation>
  </message>
  <message>
   <source>database of reference images</source>
   <translation>Datenbank aus Referenzbildern</translation>
  </message>
  <message>
   <source>error layer</source>
   <translation>Layer mit Fehlern</translation>
  </message>
  <message>
   <source>evaluation (JSON)</source>
   <translation>Auswertung (JSON)</translation>
  </message>
  <message>
   <source>exported frame</source>
   <translation>exportiertes Bild</translation>
  </message>
  <message>
   <source>file of frames' small pictures</source>
   <translation>Datei mit kleinen Bildern der Einzelbilder</translation>
  </message>
  <message>
   <source>file of pins</source>
   <translation>Datei mit Pins</translation>
  </message>
  <message>
   <source>file of scores</source>
   <translation>Datei mit Bewertungen</translation>
  </message>
  <message>
   <source>grid of candidate places</source>
   <translation>Raster möglicher Orte</translation>
  </message>
  <message>
   <source>heat map</source>
   <translation>Heatmap</translation>
  </message>
  <message>
   <source>how sure to be of ways along roads was fitted on drives by car alone.</source>
   <translation>wie sicher Wege auf Straßen sind, wurde nur an Autofahrten angepasst.</translation>
  </message>
  <message>
   <source>install Python 3.12 (64-bit) from python.org or the Microsoft Store's Python Install Manager</source>
   <translation>Installieren Sie Python 3.12 (64 Bit) von python.org oder mit dem Python Install Manager aus dem Microsoft Store</translation>
  </message>
  <message>
   <source>install Python 3.12 from python.org or with Homebrew (`brew install python@3.12`)</source>
   <translation>Installieren Sie Python 3.12 von python.org oder mit Homebrew (`brew install python@3.12`)</translation>
  </message>
  <message>
   <source>install it with the system's packages (on Debian and Ubuntu: `sudo apt install python3-venv`)</source>
   <translation>Installieren Sie es mit den Paketen des Systems (auf Debian und Ubuntu: `sudo apt install python3-venv`)</translation>
  </message>
  <message>
   <source>it looks taken in another place that the checkpoint knows{inside_said}.</source>
   <translation>es sieht aus, als sei es an einem anderen Ort aufgenommen, den der Checkpoint kennt{inside_said}.</translation>
  </message>
  <message>
   <source>it looks unlike anything this checkpoint was trained on{share}.</source>
   <translation>es gleicht nichts, womit dieser Checkpoint trainiert wurde{share}.</translation>
  </message>
  <message>
   <source>it printed nothing</source>
   <translation>es hat nichts ausgegeben</translation>
  </message>
  <message>
   <source>it was made before checkpoints kept what they know; 'vidtag calibrate' mends that without training</source>
   <translation>er wurde gemacht, bevor Checkpoints aufzeichneten, was sie kennen; 'vidtag calibrate' behebt das ohne Training</translation>
  </message>
  <message>
   <source>it went faster than the top speed that was given, so nothing tells how sure to be.</source>
   <translation>es war schneller als die angegebene Höchstgeschwindigkeit, also sagt nichts, wie sicher die Antwort ist.</translation>
  </message>
  <message>
   <source>its best place lies where this checkpoint was never trained, and nothing can speak for it there.</source>
   <translation>sein bester Ort liegt, wo dieser Checkpoint nie trainiert wurde, und nichts kann dort für ihn sprechen.</translation>
  </message>
  <message>
   <source>its confidence was never calibrated for an area; train a checkpoint for yours with 'vidtag train'</source>
   <translation>seine Konfidenz wurde nie für ein Gebiet kalibriert; trainieren Sie mit 'vidtag train' einen Checkpoint für Ihres</translation>
  </message>
  <message>
   <source>its database has no drive of four images or more, or was changed since 'vidtag reference calibrate' was run last</source>
   <translation>seine Datenbank hat keine Fahrt mit mindestens vier Bildern, oder wurde seit dem letzten Kalibrieren geändert</translation>
  </message>
  <message>
   <source>its database has {drives} of four images or more, and it takes {least_videos} to tell; add more with 'vidtag reference build'</source>
   <translation>Fahrten mit mindestens vier Bildern in seiner Datenbank: {drives}; nötig sind {least_videos}; fügen Sie mit 'vidtag reference build' weitere hinzu</translation>
  </message>
  <message>
   <source>its way fits several places of the network: the likeliest has {share} of what fits; see the layer of candidates.</source>
   <translation>sein Weg passt an mehrere Orte des Straßennetzes: Der wahrscheinlichste hat {share} von allem Passenden; sehen Sie den Layer der möglichen Wege an.</translation>
  </message>
  <message>
   <source>layer copied from a result</source>
   <translation>aus einem Ergebnis kopierter Layer</translation>
  </message>
  <message>
   <source>layer of guessed places</source>
   <translation>Layer mit geschätzten Orten</translation>
  </message>
  <message>
   <source>layer of reference images</source>
   <translation>Layer mit Referenzbildern</translation>
  </message>
  <message>
   <source>map picture</source>
   <translation>Kartenbild</translation>
  </message>
  <message>
   <source>no way through the roads of the area fits how it turned: it was taken elsewhere, or on ways that the layer lacks.</source>
   <translation>kein Weg auf den Straßen des Gebiets passt zu seinen Kurven: Es wurde anderswo aufgenommen, oder auf Wegen, die dem Layer fehlen.</translation>
  </message>
  <message>
   <source>page with the map</source>
   <translation>Seite mit der Karte</translation>
  </message>
  <message>
   <source>picture of a frame</source>
   <translation>Bild aus einem Video</translation>
  </message>
  <message>
   <source>picture of a heat map</source>
   <translation>Bild einer Heatmap</translation>
  </message>
  <message>
   <source>picture of reliability diagrams</source>
   <translation>Bild von Zuverlässigkeitsdiagrammen</translation>
  </message>
  <message>
   <source>posterior of a frame</source>
   <translation>A-posteriori-Verteilung eines Bildes</translation>
  </message>
  <message>
   <source>the area is too wide to tell how much of it this checkpoint knows, and so how sure to be.</source>
   <translation>das Gebiet ist zu weit, um zu sagen, wie viel davon dieser Checkpoint kennt, und damit, wie sicher die Antwort ist.</translation>
  </message>
  <message>
   <source>the folder of wheels {wheels}; the network is not used</source>
   <translation>der Ordner mit Wheels {wheels}; das Netz wird nicht benutzt</translation>
  </message>
  <message>
   <source>the managed environment</source>
   <translation>die verwaltete Umgebung</translation>
  </message>
  <message>
   <source>the setting for the engine's Python</source>
   <translation>die Einstellung für das Python der Engine</translation>
  </message>
  <message>
   <source>then create again.</source>
   <translation>und klicken Sie dann noch einmal auf „Erstellen“.</translation>
  </message>
  <message>
   <source>this checkpoint cannot tell how sure to be, as {cannot_tell}.</source>
   <translation>dieser Checkpoint kann nicht sagen, wie sicher die Antwort ist: {cannot_tell}.</translation>
  </message>
  <message>
   <source>training curve</source>
   <translation>Trainingskurve</translation>
  </message>
  <message>
   <source>training log</source>
   <translation>Trainingsprotokoll</translation>
  </message>
  <message>
   <source>uv could not fetch Python {uv_version}: {lines}</source>
   <translation>uv konnte Python {uv_version} nicht holen: {lines}</translation>
  </message>
  <message>
   <source>{command} cannot be started ({error}).</source>
   <translation>{command} kann nicht gestartet werden ({error}).</translation>
  </message>
  <message>
   <source>{count} of the pins are of videos that {result} does not hold.</source>
   <translation>Pins von Videos, die {result} nicht enthält: {count}.</translation>
  </message>
  <message>
   <source>{count} of {compared} compared frames are not rated: what is told of confidence leaves them out.</source>
   <translation>{count} von {compared} verglichenen Bildern sind nicht bewertet: Was über die Konfidenz gesagt wird, lässt sie aus.</translation>
  </message>
  <message>
   <source>{count} pictures of {title} would be fetched, an estimated {estimated_mb} MB, from {joined}.{have} Licences: {licences}. {attribution}</source>
   <translation>Geholt würden {count} Bilder von {title}, geschätzt {estimated_mb} MB, von {joined}.{have} Lizenzen: {licences}. {attribution}</translation>
  </message>
  <message>
   <source>{filename} cannot be removed ({error}): end what uses it, then remove it again.</source>
   <translation>{filename} kann nicht entfernt werden ({error}): Beenden Sie, was es benutzt, und entfernen Sie es noch einmal.</translation>
  </message>
  <message>
   <source>{folder} cannot be made ({error}): choose another cache folder.</source>
   <translation>{folder} kann nicht angelegt werden ({error}): Wählen Sie einen anderen Cache-Ordner.</translation>
  </message>
  <message>
   <source>{folder} cannot be written to: choose another cache folder.</source>
   <translation>In {folder} kann nicht geschrieben werden: Wählen Sie einen anderen Cache-Ordner.</translation>
  </message>
  <message>
   <source>{folder} is no database of reference images: give the folder that 'vidtag reference build' wrote.</source>
   <translation>{folder} ist keine Datenbank aus Referenzbildern: Geben Sie den Ordner an, den 'vidtag reference build' geschrieben hat.</translation>
  </message>
  <message>
   <source>{folder} was not made by VidTAG: it is left alone.</source>
   <translation>{folder} wurde nicht von VidTAG gemacht: Es wird in Ruhe gelassen.</translation>
  </message>
  <message>
   <source>{info} has no readable frame in the stretch asked for: check that it plays, or choose another stretch.</source>
   <translation>{info} hat im gewünschten Abschnitt kein lesbares Bild: Prüfen Sie, ob es sich abspielen lässt, oder wählen Sie einen anderen Abschnitt.</translation>
  </message>
  <message>
   <source>{names} failed (exit status {status}): {last}</source>
   <translation>{names} ist gescheitert (Exit-Status {status}): {last}</translation>
  </message>
  <message>
   <source>{name} also holds geometries that are no polygons ({kinds}); they were left out.</source>
   <translation>{name} enthält auch Geometrien, die keine Polygone sind ({kinds}); sie wurden weggelassen.</translation>
  </message>
  <message>
   <source>{name} also holds {count} polygons without any area; they were left out.</source>
   <translation>{name} enthält auch Polygone ohne Fläche ({count}); sie wurden weggelassen.</translation>
  </message>
  <message>
   <source>{name} has a ring that is not closed; it was closed.</source>
   <translation>{name} hat einen offenen Ring; er wurde geschlossen.</translation>
  </message>
  <message>
   <source>{name} has no area (a line or a point); draw a polygon.</source>
   <translation>{name} hat keine Fläche (eine Linie oder ein Punkt): Zeichnen Sie ein Polygon.</translation>
  </message>
  <message>
   <source>{name} has no readable frame in the stretch asked for: check that it plays, or choose another stretch.</source>
   <translation>{name} hat im gewünschten Abschnitt kein lesbares Bild: Prüfen Sie, ob es sich abspielen lässt, oder wählen Sie einen anderen Abschnitt.</translation>
  </message>
  <message>
   <source>{name} has no readable frame: check that it plays, or leave it out.</source>
   <translation>{name} hat kein lesbares Bild: Prüfen Sie, ob es sich abspielen lässt, oder lassen Sie es weg.</translation>
  </message>
  <message>
   <source>{name} holds no polygon ({names}); give a polygon, or buffer it first.</source>
   <translation>{name} enthält kein Polygon ({names}): Geben Sie ein Polygon an, oder puffern Sie es zuerst.</translation>
  </message>
  <message>
   <source>{name} is empty; give a polygon.</source>
   <translation>{name} ist leer: Geben Sie ein Polygon an.</translation>
  </message>
  <message>
   <source>{name} is not a vector file that can be read ({reason}); save it again as GeoPackage or GeoJSON.</source>
   <translation>{name} ist keine lesbare Vektordatei ({reason}): Speichern Sie sie noch einmal als GeoPackage oder GeoJSON.</translation>
  </message>
  <message>
   <source>{name} is open for editing in another program: save and stop editing there (in QGIS, toggle editing off), or choose another output.</source>
   <translation>{name} wird in einem anderen Programm bearbeitet: Speichern Sie dort und beenden Sie das Bearbeiten, oder wählen Sie eine andere Ausgabe.</translation>
  </message>
  <message>
   <source>{name} lies outside the area in which its coordinate system {system} is defined; check the system.</source>
   <translation>{name} liegt außerhalb des Gebiets, in dem sein Koordinatenbezugssystem {system} gilt: Prüfen Sie das System.</translation>
  </message>
  <message>
   <source>{name} was left out: {why}</source>
   <translation>{name} wurde weggelassen: {why}</translation>
  </message>
  <message>
   <source>{name} was written by a newer VidTAG (schema {schema}, this one knows {schema_}); update VidTAG.</source>
   <translation>{name} wurde von einem neueren VidTAG geschrieben (Schema {schema}, dieses kennt {schema_}); aktualisieren Sie VidTAG.</translation>
  </message>
  <message>
   <source>{name}: {damaged} damaged parts were skipped.</source>
   <translation>{name}: beschädigte Teile übersprungen: {damaged}.</translation>
  </message>
  <message>
   <source>{new} has {names} already: remove it there or choose another folder.</source>
   <translation>{new} hat schon {names}: Entfernen Sie es dort, oder wählen Sie einen anderen Ordner.</translation>
  </message>
  <message>
   <source>{old} cannot be moved to {new}: {error}</source>
   <translation>{old} kann nicht nach {new} verschoben werden: {error}</translation>
  </message>
  <message>
   <source>{output} exists and is not a result of this tool: choose another output, or add --overwrite to replace it.</source>
   <translation>{output} gibt es schon, und es ist kein Ergebnis dieses Werkzeugs: Wählen Sie eine andere Ausgabe, oder mit --overwrite ersetzen Sie es.</translation>
  </message>
  <message>
   <source>{output} holds results of other settings: choose another output, or add --overwrite to replace it.</source>
   <translation>{output} enthält Ergebnisse anderer Einstellungen: Wählen Sie eine andere Ausgabe, oder mit --overwrite ersetzen Sie es.</translation>
  </message>
  <message>
   <source>{path} exists and bears no mark of this tool: it is somebody else's, or a copy that an older version wrote or another program changed; {end}</source>
   <translation>{path} gibt es schon, ohne Kennzeichen dieses Werkzeugs: Es gehört jemand anderem, oder es ist eine Kopie, die eine ältere Version geschrieben oder ein anderes Programm geändert hat. {end}</translation>
  </message>
  <message>
   <source>{path} exists and is another file of this tool ({kinds}), which would be lost: {end}</source>
   <translation>{path} gibt es schon und ist eine andere Datei dieses Werkzeugs ({kinds}), die verloren ginge. {end}</translation>
  </message>
  <message>
   <source>{path} exists and is no {kinds} of this tool: {end}</source>
   <translation>{path} gibt es schon, und es ist nicht die eigene Datei dieses Werkzeugs ({kinds}). {end}</translation>
  </message>
  <message>
   <source>{path} holds a video stream without a single picture; give another file.</source>
   <translation>{path} enthält einen Videostrom ohne ein einziges Bild: Geben Sie eine andere Datei an.</translation>
  </message>
  <message>
   <source>{path} holds no picture that can be decoded (damaged data); copy the file again or repair it.</source>
   <translation>{path} enthält kein Bild, das sich dekodieren lässt (beschädigte Daten): Kopieren Sie die Datei noch einmal, oder reparieren Sie sie.</translation>
  </message>
  <message>
   <source>{path} holds what this tool did not put there ({names}), which would be lost: {end}</source>
   <translation>{path} enthält, was dieses Werkzeug nicht hineingelegt hat ({names}), und was verloren ginge. {end}</translation>
  </message>
  <message>
   <source>{path} holds {held}, no pictures; give a video file.</source>
   <translation>{path} enthält {held}, keine Bilder: Geben Sie eine Videodatei an.</translation>
  </message>
  <message>
   <source>{path} is a truncated video: its index (moov) is missing, so nothing can be decoded; copy the file again or repair it.</source>
   <translation>{path} ist ein abgeschnittenes Video: Sein Index (moov) fehlt, also lässt sich nichts dekodieren. Kopieren Sie die Datei noch einmal, oder reparieren Sie sie.</translation>
  </message>
  <message>
   <source>{path} is damaged or not a VidTAG result ({error}); run geolocate again.</source>
   <translation>{path} ist beschädigt oder kein Ergebnis von VidTAG ({error}): Verorten Sie noch einmal.</translation>
  </message>
  <message>
   <source>{path} is empty (0 bytes); copy the {what} again.</source>
   <translation>{path} ist leer (0 Byte): Kopieren Sie die Datei noch einmal.</translation>
  </message>
  <message>
   <source>{path} is not a video that FFmpeg can read ({reason}); convert it or give another file.</source>
   <translation>{path} ist kein Video, das FFmpeg lesen kann ({reason}): Wandeln Sie es um, oder geben Sie eine andere Datei an.</translation>
  </message>
  <message>
   <source>{path} is not there any more.</source>
   <translation>{path} ist nicht mehr da.</translation>
  </message>
  <message>
   <source>{path} is open for editing in another program, and its layer {min} would be made anew: save and stop editing there, or give --output to write a copy instead.</source>
   <translation>{path} wird in einem anderen Programm bearbeitet, und sein Layer {min} würde neu gemacht: Speichern Sie dort und beenden Sie das Bearbeiten, oder geben Sie eine andere Ausgabe an.</translation>
  </message>
  <message>
   <source>{path} uses a video codec that this FFmpeg cannot decode; convert it to H.264.</source>
   <translation>{path} benutzt einen Videocodec, den dieses FFmpeg nicht dekodieren kann: Wandeln Sie es in H.264 um.</translation>
  </message>
  <message>
   <source>{python} (Python {text}) has no {names}: on Debian and Ubuntu run `sudo apt install {package}`, then try again.</source>
   <translation>{python} (Python {text}) hat kein {names}: Führen Sie auf Debian und Ubuntu `sudo apt install {package}` aus, und versuchen Sie es noch einmal.</translation>
  </message>
  <message>
   <source>{python} belongs to QGIS or another program: environments made from it break. Install a Python of its own.</source>
   <translation>{python} gehört zu QGIS oder einem anderen Programm: Daraus erstellte Umgebungen gehen kaputt. Installieren Sie ein eigenes Python.</translation>
  </message>
  <message>
   <source>{python} does not answer as a Python would.</source>
   <translation>{python} antwortet nicht, wie ein Python es täte.</translation>
  </message>
  <message>
   <source>{python} is Python {text}; the engine needs {minimum}.{minimum_} or newer.</source>
   <translation>{python} ist Python {text}; die Engine braucht {minimum}.{minimum_} oder neuer.</translation>
  </message>
  <message>
   <source>{python} is a 32-bit Python; PyTorch needs a 64-bit one.</source>
   <translation>{python} ist ein 32-Bit-Python; PyTorch braucht eines mit 64 Bit.</translation>
  </message>
  <message>
   <source>{python} was built without SSL: it cannot install packages.</source>
   <translation>{python} wurde ohne SSL gebaut: Es kann keine Pakete installieren.</translation>
  </message>
  <message>
   <source>{result} has no pins: run vidtag pin to set some, or use 'Check frames' in QGIS.</source>
   <translation>{result} hat keine Pins: Setzen Sie welche unter „Bilder prüfen“.</translation>
  </message>
  <message>
   <source>{result} is damaged or no result ({error}): give a GeoPackage that geolocate wrote.</source>
   <translation>{result} ist beschädigt oder kein Ergebnis ({error}): Geben Sie ein GeoPackage an, das „Video verorten“ geschrieben hat.</translation>
  </message>
  <message>
   <source>{source} has no readable frame in the stretch asked for: check that it plays, or choose another stretch.</source>
   <translation>{source} hat im gewünschten Abschnitt kein lesbares Bild: Prüfen Sie, ob es sich abspielen lässt, oder wählen Sie einen anderen Abschnitt.</translation>
  </message>
  <message>
   <source>{source} names {value}, which has no vidtag_engine/worker.py: correct it or leave it empty.</source>
   <translation>In {value} gibt es kein vidtag_engine/worker.py ({source}): Berichtigen Sie es, oder lassen Sie es leer.</translation>
  </message>
  <message>
   <source>{target} is being changed in another program: save and close it there, then run again.</source>
   <translation>{target} wird gerade in einem anderen Programm geändert: Speichern und schließen Sie es dort, und starten Sie noch einmal.</translation>
  </message>
  <message>
   <source>{text}{how} Its last words: {last}</source>
   <translation>{text}{how} Ihre letzten Worte: {last}</translation>
  </message>
  <message>
   <source>{torch_index} is no address of a package index: it begins with https://.</source>
   <translation>{torch_index} ist keine Adresse eines Paketindex: Sie beginnt mit https://.</translation>
  </message>
  <message>
   <source>{weights} is not a readable safetensors file (cut short or damaged): copy or train it again.</source>
   <translation>{weights} ist keine lesbare safetensors-Datei (abgeschnitten oder beschädigt): Kopieren oder trainieren Sie sie noch einmal.</translation>
  </message>
 </context>
</TS>
