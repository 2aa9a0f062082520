<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis labelsEnabled="0" version="3.22.16-Białowieża" styleCategories="Symbology|Labeling|Fields|Forms|MapTips|AttributeTable|Temporal">
 <temporal limitMode="0" startField="" durationField="" enabled="0" endExpression="" startExpression="" durationUnit="min" fixedDuration="0" accumulate="0" mode="0" endField="">
  <fixedRange>
   <start></start>
   <end></end>
  </fixedRange>
 </temporal>
 <renderer-v2 type="singleSymbol" referencescale="-1" enableorderby="0" forceraster="0" symbollevels="0">
  <symbols>
   <symbol type="marker" force_rhr="0" clip_to_extent="1" alpha="1" name="0">
    <data_defined_properties>
     <Option type="Map">
      <Option type="QString" name="name" value=""/>
      <Option name="properties"/>
      <Option type="QString" name="type" value="collection"/>
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option type="QString" name="angle" value="0"/>
      <Option type="QString" name="cap_style" value="square"/>
      <Option type="QString" name="color" value="152,78,163,255"/>
      <Option type="QString" name="horizontal_anchor_point" value="1"/>
      <Option type="QString" name="joinstyle" value="bevel"/>
      <Option type="QString" name="name" value="circle"/>
      <Option type="QString" name="offset" value="0,0"/>
      <Option type="QString" name="offset_map_unit_scale" value="3x:0,0,0,0,0,0"/>
      <Option type="QString" name="offset_unit" value="MM"/>
      <Option type="QString" name="outline_color" value="255,255,255,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.1"/>
      <Option type="QString" name="outline_width_map_unit_scale" value="3x:0,0,0,0,0,0"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="scale_method" value="diameter"/>
      <Option type="QString" name="size" value="2.2"/>
      <Option type="QString" name="size_map_unit_scale" value="3x:0,0,0,0,0,0"/>
      <Option type="QString" name="size_unit" value="MM"/>
      <Option type="QString" name="vertical_anchor_point" value="1"/>
     </Option>
     <prop k="angle" v="0"/>
     <prop k="cap_style" v="square"/>
     <prop k="color" v="152,78,163,255"/>
     <prop k="horizontal_anchor_point" v="1"/>
     <prop k="joinstyle" v="bevel"/>
     <prop k="name" v="circle"/>
     <prop k="offset" v="0,0"/>
     <prop k="offset_map_unit_scale" v="3x:0,0,0,0,0,0"/>
     <prop k="offset_unit" v="MM"/>
     <prop k="outline_color" v="255,255,255,255"/>
     <prop k="outline_style" v="solid"/>
     <prop k="outline_width" v="0.1"/>
     <prop k="outline_width_map_unit_scale" v="3x:0,0,0,0,0,0"/>
     <prop k="outline_width_unit" v="MM"/>
     <prop k="scale_method" v="diameter"/>
     <prop k="size" v="2.2"/>
     <prop k="size_map_unit_scale" v="3x:0,0,0,0,0,0"/>
     <prop k="size_unit" v="MM"/>
     <prop k="vertical_anchor_point" v="1"/>
     <data_defined_properties>
      <Option type="Map">
       <Option type="QString" name="name" value=""/>
       <Option type="Map" name="properties">
        <Option type="Map" name="angle">
         <Option type="bool" name="active" value="true"/>
         <Option type="QString" name="expression" value="coalesce(&quot;heading_deg&quot; - 90, 0)"/>
         <Option type="int" name="type" value="3"/>
        </Option>
        <Option type="Map" name="name">
         <Option type="bool" name="active" value="true"/>
         <Option type="QString" name="expression" value="if(&quot;heading_deg&quot; is null, 'circle', 'arrowhead_filled')"/>
         <Option type="int" name="type" value="3"/>
        </Option>
       </Option>
       <Option type="QString" name="type" value="collection"/>
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
  </symbols>
  <rotation/>
  <sizescale/>
 </renderer-v2>
 <blendMode>0</blendMode>
 <featureBlendMode>0</featureBlendMode>
 <fieldConfiguration>
  <field name="video" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="frame_index" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="rank" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="source" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="image_id" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="similarity" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="margin" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="heading_deg" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="inliers" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="taken" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="author" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="licence" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="licence_url" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="page_url" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
  <field name="thumbnail" configurationFlags="None">
   <editWidget type="">
    <config>
     <Option/>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
 <aliases>
  <alias name="" field="video" index="0"/>
  <alias name="" field="frame_index" index="1"/>
  <alias name="" field="rank" index="2"/>
  <alias name="" field="source" index="3"/>
  <alias name="" field="image_id" index="4"/>
  <alias name="" field="similarity" index="5"/>
  <alias name="" field="margin" index="6"/>
  <alias name="" field="heading_deg" index="7"/>
  <alias name="" field="inliers" index="8"/>
  <alias name="" field="taken" index="9"/>
  <alias name="" field="author" index="10"/>
  <alias name="" field="licence" index="11"/>
  <alias name="" field="licence_url" index="12"/>
  <alias name="" field="page_url" index="13"/>
  <alias name="" field="thumbnail" index="14"/>
 </aliases>
 <defaults>
  <default expression="" field="video" applyOnUpdate="0"/>
  <default expression="" field="frame_index" applyOnUpdate="0"/>
  <default expression="" field="rank" applyOnUpdate="0"/>
  <default expression="" field="source" applyOnUpdate="0"/>
  <default expression="" field="image_id" applyOnUpdate="0"/>
  <default expression="" field="similarity" applyOnUpdate="0"/>
  <default expression="" field="margin" applyOnUpdate="0"/>
  <default expression="" field="heading_deg" applyOnUpdate="0"/>
  <default expression="" field="inliers" applyOnUpdate="0"/>
  <default expression="" field="taken" applyOnUpdate="0"/>
  <default expression="" field="author" applyOnUpdate="0"/>
  <default expression="" field="licence" applyOnUpdate="0"/>
  <default expression="" field="licence_url" applyOnUpdate="0"/>
  <default expression="" field="page_url" applyOnUpdate="0"/>
  <default expression="" field="thumbnail" applyOnUpdate="0"/>
 </defaults>
 <constraints>
  <constraint unique_strength="0" exp_strength="0" field="video" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="frame_index" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="rank" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="source" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="image_id" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="similarity" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="margin" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="heading_deg" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="inliers" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="taken" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="author" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="licence" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="licence_url" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="page_url" notnull_strength="0" constraints="0"/>
  <constraint unique_strength="0" exp_strength="0" field="thumbnail" notnull_strength="0" constraints="0"/>
 </constraints>
 <constraintExpressions>
  <constraint desc="" field="video" exp=""/>
  <constraint desc="" field="frame_index" exp=""/>
  <constraint desc="" field="rank" exp=""/>
  <constraint desc="" field="source" exp=""/>
  <constraint desc="" field="image_id" exp=""/>
  <constraint desc="" field="similarity" exp=""/>
  <constraint desc="" field="margin" exp=""/>
  <constraint desc="" field="heading_deg" exp=""/>
  <constraint desc="" field="inliers" exp=""/>
  <constraint desc="" field="taken" exp=""/>
  <constraint desc="" field="author" exp=""/>
  <constraint desc="" field="licence" exp=""/>
  <constraint desc="" field="licence_url" exp=""/>
  <constraint desc="" field="page_url" exp=""/>
  <constraint desc="" field="thumbnail" exp=""/>
 </constraintExpressions>
 <expressionfields/>
 <attributetableconfig sortOrder="0" sortExpression="" actionWidgetStyle="dropDown">
  <columns/>
 </attributetableconfig>
 <conditionalstyles>
  <rowstyles/>
  <fieldstyles/>
 </conditionalstyles>
 <storedexpressions/>
 <editform tolerant="1"></editform>
 <editforminit/>
 <editforminitcodesource>0</editforminitcodesource>
 
 
 <featformsuppress>0</featformsuppress>
 <editorlayout>generatedlayout</editorlayout>
 <editable/>
 <labelOnTop/>
 <reuseLastValue/>
 <dataDefinedFieldProperties/>
 <widgets/>
 <mapTip>&lt;b>[% "video" %]&lt;/b>, frame [% "frame_index" %], reference image [% "rank" %]&lt;br>[% coalesce('&lt;img src="data:image/jpeg;base64,' || to_base64("thumbnail") || '" width="256">&lt;br>', '') %]Similarity [% round("similarity", 2) %], [% round("margin", 2) %] more than elsewhere[% coalesce(', ' || attribute('inliers') || ' details in common', '') %]&lt;br>[% coalesce("author", '') %] [% coalesce("licence", '') %] [% coalesce("taken", '') %]</mapTip>
 <layerGeometryType>0</layerGeometryType>
</qgis>
