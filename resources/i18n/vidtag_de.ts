<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
 <context>
  <name>VidTAG</name>
  <message>
   <source>Click the corners of the area; a click with the right button ends it.</source>
   <translation>Klicken Sie die Ecken des Gebiets an; ein Klick mit der rechten Taste beendet es.</translation>
  </message>
  <message>
   <source>{size}, about {points:,.0f} gallery points: 'Geolocate video' makes the likeliest alone, 'Gallery grid' at most {most:,}.</source>
   <translation>{size}, etwa {points:,.0f} Rasterorte: „Geolocate video“ macht nur die wahrscheinlichsten, „Gallery grid“ höchstens {most:,}.</translation>
  </message>
  <message>
   <source>{size}, about {points:,.0f} gallery points. How long they take is known once 'Gallery grid' has measured it with your checkpoint.</source>
   <translation>{size}, etwa {points:,.0f} Rasterorte. Wie lange sie dauern, ist bekannt, wenn „Gallery grid“ es mit Ihrem Checkpoint gemessen hat.</translation>
  </message>
  <message>
   <source>{size}, about {points:,.0f} gallery points, at most about {time} to compute them once.</source>
   <translation>{size}, etwa {points:,.0f} Rasterorte, höchstens etwa {time}, um sie einmal zu berechnen.</translation>
  </message>
  <message>
   <source>Locate videos, check and correct their frames beside the map</source>
   <translation>Videos verorten, ihre Bilder neben der Karte prüfen und berichtigen</translation>
  </message>
  <message>
   <source>Draw area</source>
   <translation>Gebiet zeichnen</translation>
  </message>
  <message>
   <source>Draw the area of interest, and see how many gallery points it makes</source>
   <translation>Das Gebiet zeichnen und sehen, wie viele Rasterorte es ergibt</translation>
  </message>
  <message>
   <source>Add base map…</source>
   <translation>Grundkarte hinzufügen …</translation>
  </message>
  <message>
   <source>Show OpenStreetMap under the layers; asks before it fetches anything</source>
   <translation>OpenStreetMap unter den Layern zeigen; fragt, bevor etwas geholt wird</translation>
  </message>
  <message>
   <source>{seconds} s</source>
   <translation>{seconds} s</translation>
  </message>
  <message>
   <source>{minutes} min</source>
   <translation>{minutes} min</translation>
  </message>
  <message>
   <source>{hours:.1f} h</source>
   <translation>{hours:.1f} h</translation>
  </message>
  <message>
   <source>Processing does not know {name}: switch the provider VidTAG on in its options.</source>
   <translation>Die Verarbeitung kennt {name} nicht: Schalten Sie den Anbieter VidTAG in ihren Optionen ein.</translation>
  </message>
  <message>
   <source>Grid resolution, as in 'Geolocate video'</source>
   <translation>Rasterweite, wie in „Geolocate video“</translation>
  </message>
  <message>
   <source>Pins</source>
   <translation>Pins</translation>
  </message>
  <message>
   <source>Here…</source>
   <translation>Hier …</translation>
  </message>
  <message>
   <source>Click on the map where the camera was in this frame</source>
   <translation>Klicken Sie auf der Karte dorthin, wo die Kamera in diesem Bild war</translation>
  </message>
  <message>
   <source>Not here…</source>
   <translation>Nicht hier …</translation>
  </message>
  <message>
   <source>Click on the map where the camera was not in this frame</source>
   <translation>Klicken Sie auf der Karte dorthin, wo die Kamera in diesem Bild nicht war</translation>
  </message>
  <message>
   <source>Confirm place</source>
   <translation>Ort bestätigen</translation>
  </message>
  <message>
   <source>The place of this frame is right: pin it there</source>
   <translation>Der Ort dieses Bildes stimmt: dort einen Pin setzen</translation>
  </message>
  <message>
   <source>Note…</source>
   <translation>Notiz …</translation>
  </message>
  <message>
   <source>Why the chosen pin is where it is</source>
   <translation>Warum der gewählte Pin dort ist, wo er ist</translation>
  </message>
  <message>
   <source>Remove</source>
   <translation>Entfernen</translation>
  </message>
  <message>
   <source>Take the chosen pin away; none chosen: the last one that was set</source>
   <translation>Den gewählten Pin wegnehmen; ist keiner gewählt, den zuletzt gesetzten</translation>
  </message>
  <message>
   <source>Solve with pins</source>
   <translation>Mit Pins lösen</translation>
  </message>
  <message>
   <source>Decode the videos that have pins again; the model's own answer stays</source>
   <translation>Die Videos mit Pins neu dekodieren; die eigene Antwort des Modells bleibt</translation>
  </message>
  <message>
   <source>Review</source>
   <translation>Beurteilung</translation>
  </message>
  <message>
   <source>Bookmark</source>
   <translation>Lesezeichen</translation>
  </message>
  <message>
   <source>Find this moment again</source>
   <translation>Diesen Moment wiederfinden</translation>
  </message>
  <message>
   <source>Stretch begins here</source>
   <translation>Abschnitt beginnt hier</translation>
  </message>
  <message>
   <source>What is judged next holds from this frame to the one that is shown then</source>
   <translation>Das nächste Urteil gilt von diesem Bild bis zu dem, das dann gezeigt wird</translation>
  </message>
  <message>
   <source>Comment</source>
   <translation>Kommentar</translation>
  </message>
  <message>
   <source>Who judges</source>
   <translation>Wer urteilt</translation>
  </message>
  <message>
   <source>Take the chosen judgement away</source>
   <translation>Das gewählte Urteil wegnehmen</translation>
  </message>
  <message>
   <source>Pin</source>
   <translation>Pin</translation>
  </message>
  <message>
   <source>Why:</source>
   <translation>Warum:</translation>
  </message>
  <message>
   <source>accepted</source>
   <translation>angenommen</translation>
  </message>
  <message>
   <source>unsure</source>
   <translation>unsicher</translation>
  </message>
  <message>
   <source>rejected</source>
   <translation>verworfen</translation>
  </message>
  <message>
   <source>Video</source>
   <translation>Video</translation>
  </message>
  <message>
   <source>Time (s)</source>
   <translation>Zeit (s)</translation>
  </message>
  <message>
   <source>Says</source>
   <translation>Besagt</translation>
  </message>
  <message>
   <source>Why</source>
   <translation>Warum</translation>
  </message>
  <message>
   <source>Who</source>
   <translation>Wer</translation>
  </message>
  <message>
   <source>From (s)</source>
   <translation>Von (s)</translation>
  </message>
  <message>
   <source>To (s)</source>
   <translation>Bis (s)</translation>
  </message>
  <message>
   <source>Judged</source>
   <translation>Urteil</translation>
  </message>
  <message>
   <source>Show a frame first, under 'Check frames'.</source>
   <translation>Zeigen Sie zuerst ein Bild, unter „Bilder prüfen“.</translation>
  </message>
  <message>
   <source>Choose a pin in the list first.</source>
   <translation>Wählen Sie zuerst einen Pin in der Liste.</translation>
  </message>
  <message>
   <source>Choose a judgement in the list first.</source>
   <translation>Wählen Sie zuerst ein Urteil in der Liste.</translation>
  </message>
  <message>
   <source>Accept</source>
   <translation>Annehmen</translation>
  </message>
  <message>
   <source>The place of this frame, or of the stretch, is right</source>
   <translation>Der Ort dieses Bildes oder des Abschnitts stimmt</translation>
  </message>
  <message>
   <source>Unsure</source>
   <translation>Unsicher</translation>
  </message>
  <message>
   <source>It may be right</source>
   <translation>Er könnte stimmen</translation>
  </message>
  <message>
   <source>Reject</source>
   <translation>Verwerfen</translation>
  </message>
  <message>
   <source>It is wrong</source>
   <translation>Er ist falsch</translation>
  </message>
  <message>
   <source>here</source>
   <translation>hier</translation>
  </message>
  <message>
   <source>not here</source>
   <translation>nicht hier</translation>
  </message>
  <message>
   <source>confirmed</source>
   <translation>bestätigt</translation>
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
   <source>{count} not judged</source>
   <translation>{count} nicht beurteilt</translation>
  </message>
  <message>
   <source>Frames, with pins</source>
   <translation>Bilder, mit Pins</translation>
  </message>
  <message>
   <source>Trajectory, with pins</source>
   <translation>Weg, mit Pins</translation>
  </message>
  <message>
   <source>Regions, with pins</source>
   <translation>Regionen, mit Pins</translation>
  </message>
  <message>
   <source>Look at a result first: choose its layer of frames under 'Check frames'.</source>
   <translation>Sehen Sie sich zuerst ein Ergebnis an: Wählen Sie seinen Layer der Bilder unter „Bilder prüfen“.</translation>
  </message>
  <message>
   <source>Pin {number} is set at {time:g} s of {video}.</source>
   <translation>Pin {number} ist bei {time:g} s von {video} gesetzt.</translation>
  </message>
  <message>
   <source>The pin at {time:g} s of {video} is gone.</source>
   <translation>Der Pin bei {time:g} s von {video} ist weg.</translation>
  </message>
  <message>
   <source>Pin {number} is changed.</source>
   <translation>Pin {number} ist geändert.</translation>
  </message>
  <message>
   <source>Solved in {seconds:.1f} s: {moved} frames moved.</source>
   <translation>In {seconds:.1f} s gelöst: {moved} Bilder sind verschoben.</translation>
  </message>
  <message>
   <source>Kept in the review file beside the result.</source>
   <translation>In der Beurteilungsdatei neben dem Ergebnis festgehalten.</translation>
  </message>
  <message>
   <source>Candidate places</source>
   <translation>Mögliche Orte</translation>
  </message>
  <message>
   <source>List the places that this frame may be of, and show them on the map</source>
   <translation>Die Orte auflisten, die dieses Bild zeigen kann, und auf der Karte zeigen</translation>
  </message>
  <message>
   <source>Draw posterior</source>
   <translation>Verteilung zeichnen</translation>
  </message>
  <message>
   <source>Show on the map how likely the frame is of each place of the grid</source>
   <translation>Auf der Karte zeigen, wie wahrscheinlich das Bild von jedem Ort des Gitters ist</translation>
  </message>
  <message>
   <source>Add the layer frames of a result to the map: 'Geolocate video' loads it, and it lies in the GeoPackage.</source>
   <translation>Fügen Sie der Karte den Layer frames eines Ergebnisses hinzu: „Geolocate video“ lädt ihn, und er liegt im GeoPackage.</translation>
  </message>
  <message>
   <source>This layer has no frames.</source>
   <translation>Dieser Layer hat keine Bilder.</translation>
  </message>
  <message>
   <source>The video is damaged here: this frame has no picture.</source>
   <translation>Das Video ist hier beschädigt: Dieses Bild fehlt.</translation>
  </message>
  <message>
   <source>Nothing lies outside.</source>
   <translation>Nichts liegt außerhalb.</translation>
  </message>
  <message>
   <source>not rated</source>
   <translation>nicht bewertet</translation>
  </message>
  <message>
   <source>the answer</source>
   <translation>die Antwort</translation>
  </message>
  <message>
   <source>The video is being decoded from its kept scores…</source>
   <translation>Das Video wird aus seinen aufbewahrten Bewertungen decodiert…</translation>
  </message>
  <message>
   <source>Not rated: the places are ranked, and nothing says how likely each is.</source>
   <translation>Nicht bewertet: Die Orte sind geordnet, und nichts sagt, wie wahrscheinlich jeder ist.</translation>
  </message>
  <message>
   <source>Posterior of frame {number}: {cells} squares hold {share} of it.</source>
   <translation>Verteilung von Bild {number}: {cells} Quadrate enthalten {share} davon.</translation>
  </message>
  <message>
   <source>The posterior could not be read: draw it again.</source>
   <translation>Die Verteilung war nicht zu lesen: noch einmal zeichnen.</translation>
  </message>
  <message>
   <source>Elsewhere {share}</source>
   <translation>Anderswo {share}</translation>
  </message>
  <message>
   <source>Posterior of frame {number}: {cells} squares, ranked; not rated.</source>
   <translation>Verteilung von Bild {number}: {cells} Quadrate, geordnet; nicht bewertet.</translation>
  </message>
  <message>
   <source>{share} lies on unknown ground or outside the area.</source>
   <translation>{share} liegen auf unbekanntem Gelände oder außerhalb des Gebiets.</translation>
  </message>
  <message>
   <source>The posterior of frame {number} is being drawn…</source>
   <translation>Die Verteilung von Bild {number} wird gezeichnet…</translation>
  </message>
  <message>
   <source>The result of this layer is not there, so nothing is known but its places.</source>
   <translation>Das Ergebnis dieses Layers ist nicht da; bekannt sind nur seine Orte.</translation>
  </message>
  <message>
   <source>The map's coordinate system does not reach this place.</source>
   <translation>Das Koordinatensystem der Karte reicht nicht bis zu diesem Ort.</translation>
  </message>
  <message>
   <source>on unknown ground or outside the area {share}</source>
   <translation>auf unbekanntem Gelände oder außerhalb des Gebiets {share}</translation>
  </message>
  <message>
   <source>{distance} from the answer</source>
   <translation>{distance} von der Antwort</translation>
  </message>
  <message>
   <source>within {radius:g} m</source>
   <translation>im Umkreis von {radius:g} m</translation>
  </message>
  <message>
   <source>The result: a layer of frames that 'Geolocate video' made</source>
   <translation>Das Ergebnis: ein Layer mit Bildern, den „Geolocate video“ gemacht hat</translation>
  </message>
  <message>
   <source>The video of the result</source>
   <translation>Das Video des Ergebnisses</translation>
  </message>
  <message>
   <source>The reference image that speaks for this place most, as the result keeps it</source>
   <translation>Das Referenzbild, das am meisten für diesen Ort spricht, wie das Ergebnis es behält</translation>
  </message>
  <message>
   <source>Locate video…</source>
   <translation>Video suchen …</translation>
  </message>
  <message>
   <source>Pick on map</source>
   <translation>Auf Karte wählen</translation>
  </message>
  <message>
   <source>Click a frame's point on the map to see its picture</source>
   <translation>Klicken Sie auf der Karte den Punkt eines Bildes an, um es zu sehen</translation>
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
   <source>Map follows</source>
   <translation>Karte folgt</translation>
  </message>
  <message>
   <source>Frame before</source>
   <translation>Bild davor</translation>
  </message>
  <message>
   <source>Next frame</source>
   <translation>Nächstes Bild</translation>
  </message>
  <message>
   <source>Hand over</source>
   <translation>Übergeben</translation>
  </message>
  <message>
   <source>Where the video is from; it is never fetched</source>
   <translation>Woher das Video stammt; es wird nie geholt</translation>
  </message>
  <message>
   <source>Case</source>
   <translation>Fall</translation>
  </message>
  <message>
   <source>Source</source>
   <translation>Quelle</translation>
  </message>
  <message>
   <source>Handed over by</source>
   <translation>Übergeben von</translation>
  </message>
  <message>
   <source>Frames a page</source>
   <translation>Bilder je Seite</translation>
  </message>
  <message>
   <source>Folder to make the case in</source>
   <translation>Ordner, in dem der Fall angelegt wird</translation>
  </message>
  <message>
   <source>Making the folder…</source>
   <translation>Ordner wird angelegt …</translation>
  </message>
  <message>
   <source>Make a folder…</source>
   <translation>Ordner anlegen …</translation>
  </message>
  <message>
   <source>Open the page</source>
   <translation>Seite öffnen</translation>
  </message>
  <message>
   <source>{folder}: {count} files, {size:.1f} MB.</source>
   <translation>{folder}: {count} Dateien, {size:.1f} MB.</translation>
  </message>
  <message>
   <source>Not found, so without pictures: {videos}.</source>
   <translation>Nicht gefunden, also ohne Bilder: {videos}.</translation>
  </message>
  <message>
   <source>Picture to click landmarks in</source>
   <translation>Bild, in dem Landmarken angeklickt werden</translation>
  </message>
  <message>
   <source>not known</source>
   <translation>nicht bekannt</translation>
  </message>
  <message>
   <source>Horizontal field of view of the lens; four landmarks or more where it is not known</source>
   <translation>Waagrechter Bildwinkel des Objektivs; ist er nicht bekannt, mindestens vier Landmarken</translation>
  </message>
  <message>
   <source>Field of view</source>
   <translation>Bildwinkel</translation>
  </message>
  <message>
   <source>Reckoning…</source>
   <translation>Wird berechnet …</translation>
  </message>
  <message>
   <source>x, y (px)</source>
   <translation>x, y (px)</translation>
  </message>
  <message>
   <source>Latitude</source>
   <translation>Breite</translation>
  </message>
  <message>
   <source>Longitude</source>
   <translation>Länge</translation>
  </message>
  <message>
   <source>Off (px)</source>
   <translation>Ab (px)</translation>
  </message>
  <message>
   <source>Click something in the picture first, then its place on the map.</source>
   <translation>Klicken Sie zuerst etwas im Bild an, dann seinen Ort auf der Karte.</translation>
  </message>
  <message>
   <source>Several places fit these clicks: add a landmark.</source>
   <translation>Mehrere Orte passen zu diesen Klicks: Fügen Sie eine Landmarke hinzu.</translation>
  </message>
  <message>
   <source>Where was the camera?</source>
   <translation>Wo war die Kamera?</translation>
  </message>
  <message>
   <source>Pin there</source>
   <translation>Dort Pin setzen</translation>
  </message>
  <message>
   <source>Now click its place on the map.</source>
   <translation>Klicken Sie jetzt seinen Ort auf der Karte an.</translation>
  </message>
  <message>
   <source>{lat:.6f}, {lon:.6f}, looking to {bearing:.0f}°; within {major:.0f} × {minor:.0f} m with 90 %.</source>
   <translation>{lat:.6f}, {lon:.6f}, Blick nach {bearing:.0f}°; mit 90 % innerhalb von {major:.0f} × {minor:.0f} m.</translation>
  </message>
  <message>
   <source>Landmark {number} does not fit the others: look at it again.</source>
   <translation>Landmarke {number} passt nicht zu den anderen: Sehen Sie sie noch einmal an.</translation>
  </message>
  <message>
   <source>Click something in the picture that you can find on the map: {count} of at least three.</source>
   <translation>Klicken Sie etwas im Bild an, das Sie auf der Karte finden: {count} von mindestens drei.</translation>
  </message>
  <message>
   <source>Setting the pin…</source>
   <translation>Der Pin wird gesetzt …</translation>
  </message>
  <message>
   <source>The last pin is still being written: wait a moment.</source>
   <translation>Der letzte Pin wird noch geschrieben: Warten Sie einen Moment.</translation>
  </message>
  <message>
   <source>Pins lie beside the result, and that of this layer is not there: add the layer frames of the GeoPackage itself.</source>
   <translation>Pins liegen neben dem Ergebnis, und das dieses Layers ist nicht da: Fügen Sie den Layer frames des GeoPackage selbst hinzu.</translation>
  </message>
  <message>
   <source>This place has no latitude and longitude: click on another.</source>
   <translation>Dieser Ort hat keine Breite und Länge: Klicken Sie einen anderen an.</translation>
  </message>
  <message>
   <source>Pin {number} is set at {time:g} s of {video}, in {file}. 'Solve with pins' takes it.</source>
   <translation>Pin {number} ist bei {time:g} s von {video} gesetzt, in {file}. „Solve with pins“ nimmt ihn.</translation>
  </message>
  <message>
   <source>Candidate places of frame {number}</source>
   <translation>Mögliche Orte von Bild {number}</translation>
  </message>
  <message>
   <source>Posterior of frame {number} ({video})</source>
   <translation>Verteilung von Bild {number} ({video})</translation>
  </message>
  <message>
   <source>The frame's answer</source>
   <translation>Die Antwort des Bildes</translation>
  </message>
  <message>
   <source>Another place</source>
   <translation>Ein anderer Ort</translation>
  </message>
  <message>
   <source>Play or pause (space). L plays, and faster when pressed again; J plays backwards; K stops.</source>
   <translation>Abspielen oder anhalten (Leertaste). L spielt ab, noch einmal gedrückt schneller; J rückwärts; K hält an.</translation>
  </message>
  <message>
   <source>Move through the video</source>
   <translation>Durch das Video gehen</translation>
  </message>
  <message>
   <source>Hover</source>
   <translation>Darüberfahren</translation>
  </message>
  <message>
   <source>Move the mouse along the track on the map: the video follows</source>
   <translation>Fahren Sie mit der Maus auf der Karte den Weg entlang: das Video folgt</translation>
  </message>
  <message>
   <source>Seen here…</source>
   <translation>Hier gesehen …</translation>
  </message>
  <message>
   <source>Click a place on the map: every time the camera was near it is listed</source>
   <translation>Klicken Sie einen Ort auf der Karte an: Jedes Mal, wenn die Kamera in der Nähe war, steht in der Liste</translation>
  </message>
  <message>
   <source>How near to the place, metres</source>
   <translation>Wie nahe am Ort, Meter</translation>
  </message>
  <message>
   <source>Map's time</source>
   <translation>Zeit der Karte</translation>
  </message>
  <message>
   <source>The map shows the picture's second, and the video follows the Temporal Controller</source>
   <translation>Die Karte zeigt die Sekunde des Bildes, und das Video folgt der Zeitsteuerung</translation>
  </message>
  <message>
   <source>When the camera was near the place: choose an entry to see its picture</source>
   <translation>Wann die Kamera in der Nähe war: Wählen Sie einen Eintrag, um sein Bild zu sehen</translation>
  </message>
  <message>
   <source>Pause</source>
   <translation>Anhalten</translation>
  </message>
  <message>
   <source>Play</source>
   <translation>Abspielen</translation>
  </message>
  <message>
   <source>The camera was never so near this place.</source>
   <translation>Die Kamera war diesem Ort nie so nahe.</translation>
  </message>
  <message>
   <source>Selected features only</source>
   <translation>Nur gewählte Objekte</translation>
  </message>
  <message>
   <source>Draw the area on the map: a click a corner, the right button ends</source>
   <translation>Zeichnen Sie das Gebiet auf der Karte: ein Klick je Ecke, die rechte Taste beendet</translation>
  </message>
  <message>
   <source>A folder that 'Train for an area' has written, geoclip for the worldwide model, or none for roads alone</source>
   <translation>Ein Ordner, den „Train for an area“ geschrieben hat, geoclip für das weltweite Modell, oder none für Straßen allein</translation>
  </message>
  <message>
   <source>Choose the checkpoint's folder</source>
   <translation>Den Ordner des Checkpoints wählen</translation>
  </message>
  <message>
   <source>A database that 'Build reference database' has made</source>
   <translation>Eine Datenbank, die „Build reference database“ gemacht hat</translation>
  </message>
  <message>
   <source>Streets that the shape of the way is compared with</source>
   <translation>Straßen, mit denen die Form des Weges verglichen wird</translation>
  </message>
  <message>
   <source>Keep scores, so that pins solve it again</source>
   <translation>Bewertungen behalten, damit Pins neu lösen</translation>
  </message>
  <message>
   <source>The result; empty: beside the first video</source>
   <translation>Das Ergebnis; leer: neben dem ersten Video</translation>
  </message>
  <message>
   <source>All settings…</source>
   <translation>Alle Einstellungen …</translation>
  </message>
  <message>
   <source>Open 'Geolocate video' with what is chosen here</source>
   <translation>„Geolocate video“ öffnen, mit dem, was hier gewählt ist</translation>
  </message>
  <message>
   <source>Area</source>
   <translation>Gebiet</translation>
  </message>
  <message>
   <source>Grid resolution</source>
   <translation>Rasterweite</translation>
  </message>
  <message>
   <source>Checkpoint</source>
   <translation>Checkpoint</translation>
  </message>
  <message>
   <source>Reference images</source>
   <translation>Referenzbilder</translation>
  </message>
  <message>
   <source>Roads</source>
   <translation>Straßen</translation>
  </message>
  <message>
   <source>Result</source>
   <translation>Ergebnis</translation>
  </message>
  <message>
   <source>Videos</source>
   <translation>Videos</translation>
  </message>
  <message>
   <source>The area that the checkpoint was trained on is searched; the engine counts its places when it starts.</source>
   <translation>Gesucht wird in dem Gebiet, auf dem der Checkpoint trainiert ist; seine Orte zählt die Engine, wenn sie beginnt.</translation>
  </message>
  <message>
   <source>The project has no layer of polygons yet: draw the area, or add a layer.</source>
   <translation>Das Projekt hat noch keinen Layer mit Polygonen: Zeichnen Sie das Gebiet, oder fügen Sie einen Layer hinzu.</translation>
  </message>
  <message>
   <source>Add at least one video: drop it on the list, or choose it.</source>
   <translation>Geben Sie mindestens ein Video: Ziehen Sie es auf die Liste, oder wählen Sie es.</translation>
  </message>
  <message>
   <source>One folder at a time: take the others off the list, or make a folder that holds them all.</source>
   <translation>Nur ein Ordner auf einmal: Nehmen Sie die anderen von der Liste, oder machen Sie einen Ordner, der alle enthält.</translation>
  </message>
  <message>
   <source>Draw the area, choose a layer of polygons, or search where the checkpoint was trained.</source>
   <translation>Zeichnen Sie das Gebiet, wählen Sie einen Layer mit Polygonen, oder suchen Sie dort, wo der Checkpoint trainiert ist.</translation>
  </message>
  <message>
   <source>{located} of {frames} frames located</source>
   <translation>{located} von {frames} Bildern verortet</translation>
  </message>
  <message>
   <source>A layer of polygons</source>
   <translation>Ein Layer mit Polygonen</translation>
  </message>
  <message>
   <source>What the map shows</source>
   <translation>Was die Karte zeigt</translation>
  </message>
  <message>
   <source>Where the checkpoint was trained</source>
   <translation>Wo der Checkpoint trainiert ist</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Starten</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>The engine starts…</source>
   <translation>Die Engine startet …</translation>
  </message>
  <message>
   <source>Stopping…</source>
   <translation>Wird angehalten …</translation>
  </message>
  <message>
   <source>, mean confidence {share:.0%}</source>
   <translation>, mittlere Konfidenz {share:.0%}</translation>
  </message>
  <message>
   <source>Folder of videos</source>
   <translation>Ordner mit Videos</translation>
  </message>
  <message>
   <source>Nothing is selected in {name}: select the polygons that you mean.</source>
   <translation>In {name} ist nichts gewählt: Wählen Sie die Polygone, die Sie meinen.</translation>
  </message>
  <message>
   <source>{count} polygons: the engine measures them when it starts.</source>
   <translation>{count} Polygone: Die Engine misst sie, wenn sie beginnt.</translation>
  </message>
  <message>
   <source>It did not go through: see the log messages, Processing.</source>
   <translation>Es ist nicht gelungen: Sehen Sie im Protokoll der Verarbeitung nach.</translation>
  </message>
  <message>
   <source>Scores for pins take {size:.1f} MB beside the result.</source>
   <translation>Bewertungen für Pins brauchen {size:.1f} MB neben dem Ergebnis.</translation>
  </message>
  <message>
   <source>Add videos…</source>
   <translation>Videos hinzufügen …</translation>
  </message>
  <message>
   <source>Choose video files</source>
   <translation>Videodateien wählen</translation>
  </message>
  <message>
   <source>Add folder…</source>
   <translation>Ordner hinzufügen …</translation>
  </message>
  <message>
   <source>Choose a folder: all videos in it and its subfolders</source>
   <translation>Einen Ordner wählen: alle Videos darin und in seinen Unterordnern</translation>
  </message>
  <message>
   <source>Take the chosen videos off the list; none chosen: all</source>
   <translation>Die gewählten Videos von der Liste nehmen; ist keines gewählt, alle</translation>
  </message>
  <message>
   <source>about {time} left</source>
   <translation>noch etwa {time}</translation>
  </message>
  <message>
   <source>Least confidence</source>
   <translation>Mindestkonfidenz</translation>
  </message>
  <message>
   <source>From</source>
   <translation>Von</translation>
  </message>
  <message>
   <source>To</source>
   <translation>Bis</translation>
  </message>
  <message>
   <source>Also frames that are not rated</source>
   <translation>Auch Bilder ohne Konfidenz</translation>
  </message>
  <message>
   <source>Show everything</source>
   <translation>Alles zeigen</translation>
  </message>
  <message>
   <source>On the map</source>
   <translation>Auf der Karte</translation>
  </message>
  <message>
   <source>Place of the frame that is shown</source>
   <translation>Ort des gezeigten Bildes</translation>
  </message>
  <message>
   <source>The frame has no place on the map.</source>
   <translation>Das Bild hat keinen Ort auf der Karte.</translation>
  </message>
  <message>
   <source>VidTAG works offline, so no site is opened: switch 'Work offline' off in its options.</source>
   <translation>VidTAG arbeitet offline, also wird keine Seite geöffnet: Schalten Sie „Work offline“ in seinen Optionen aus.</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>Kopieren</translation>
  </message>
  <message>
   <source>Open on {host}…</source>
   <translation>Auf {host} öffnen …</translation>
  </message>
  <message>
   <source>Opens your browser. {host} learns your computer's address and this place.</source>
   <translation>Öffnet Ihren Browser. {host} erfährt die Adresse Ihres Rechners und diesen Ort.</translation>
  </message>
  <message>
   <source>Drop videos here, or a folder of them. Delete takes the chosen ones off the list.</source>
   <translation>Ziehen Sie Videos hierher, oder einen Ordner davon. Entf nimmt die gewählten von der Liste.</translation>
  </message>
  <message>
   <source>Drop videos here, or a folder of them</source>
   <translation>Videos hierher ziehen, oder einen Ordner davon</translation>
  </message>
  <message>
   <source>VidTAG workbench</source>
   <translation>VidTAG-Werkbank</translation>
  </message>
  <message>
   <source>Locate</source>
   <translation>Verorten</translation>
  </message>
  <message>
   <source>Check frames</source>
   <translation>Bilder prüfen</translation>
  </message>
  <message>
   <source>Correct</source>
   <translation>Berichtigen</translation>
  </message>
  <message>
   <source>Landmarks</source>
   <translation>Landmarken</translation>
  </message>
  <message>
   <source>Show</source>
   <translation>Zeigen</translation>
  </message>
  <message>
   <source>Decimal</source>
   <translation>Dezimal</translation>
  </message>
  <message>
   <source>DMS</source>
   <translation>Grad Min Sek</translation>
  </message>
  <message>
   <source>UTM</source>
   <translation>UTM</translation>
  </message>
  <message>
   <source>MGRS</source>
   <translation>MGRS</translation>
  </message>
 </context>
</TS>
